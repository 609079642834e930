import { setTimeout as delay } from 'node:timers/promises';
import { RetryableError, errorOf } from '../errors.ts';
import {
  createKafkaProducer,
  RecordTooLargeError,
  REQUEST_BYTES,
  sizeOf,
  type TopicMessage,
  type WrittenAt,
} from '../kafka-producer.ts';
import type { KafkaConfig } from '../kafka.ts';

/** A record to write. */
export interface OutRecord {
  readonly topic: string;
  readonly key: string;
  readonly value: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Writes records of many callers in few requests. */
export interface BatchingProducer {
  /**
   * Resolves when all replicas have all of the records, with their positions in order. Throws RetryableError when that is
   * not known within the time-out (they may have been written all the same), RecordTooLargeError or StoreError when brokers
   * refuse them.
   */
  write(records: readonly OutRecord[]): Promise<readonly WrittenAt[]>;
  /**
   * Why nothing is written now; undefined when nothing failed since brokers answered last. After a failure they are asked
   * until they do, whether or not there is something to write.
   */
  failure(): Error | undefined;
  /** Waits for what is under way, then ends the connections. */
  close(): Promise<void>;
}

/** What {@link createBatchingProducer} needs. */
export interface BatchingProducerOptions {
  readonly kafka: KafkaConfig;
  /** Longest time that a call of `write` takes, milliseconds. */
  readonly timeout: number;
  /** Brokers did not answer, or refused; callers were told, or are when their time is over. */
  readonly onFailure: (error: Error) => void;
}

/** One call of `write`. */
interface Write {
  readonly records: readonly TopicMessage[];
  readonly bytes: number;
  readonly resolve: (positions: readonly WrittenAt[]) => void;
  readonly reject: (error: Error) => void;
}

const FIRST_WAIT = 100;
const LONGEST_WAIT = 1000;

/**
 * What comes during one request goes together in the next. So a lone record goes at once, and under load a request carries
 * what came during one round trip.
 */
export function createBatchingProducer(options: BatchingProducerOptions): BatchingProducer {
  const { kafka, timeout, onFailure } = options;
  const producer = createKafkaProducer({
    kafka: {
      ...kafka,
      request_timeout: Math.min(kafka.request_timeout, timeout),
      connection_timeout: Math.min(kafka.connection_timeout, timeout),
    },
    at: 'topic',
    retries: 3,
  });
  const queue = new Set<Write>();
  let running: Promise<void> | undefined;
  let lastFailure: Error | undefined;
  const closing = new AbortController();

  /** What goes in the next request. */
  function take(): Write[] {
    const batch: Write[] = [];
    let bytes = 0;
    for (const write of queue) {
      if (batch.length > 0 && bytes + write.bytes > REQUEST_BYTES) break;
      bytes += write.bytes;
      batch.push(write);
      queue.delete(write);
    }
    return batch;
  }

  async function sendAll(batch: readonly Write[]): Promise<void> {
    try {
      const positions = await producer.send(
        batch.flatMap(({ records }) => records),
        AbortSignal.timeout(timeout),
      );
      let from = 0;
      for (const { records, resolve } of batch) resolve(positions.slice(from, (from += records.length)));
      lastFailure = undefined;
    } catch (error) {
      const failure = errorOf(error);
      const isTooLarge = failure instanceof RecordTooLargeError;
      if (isTooLarge && batch.length > 1) {
        for (const write of batch) await sendAll([write]);
        return;
      }
      for (const { reject } of batch) reject(failure);
      if (!isTooLarge) onFailure((lastFailure = failure));
    }
  }

  async function run(): Promise<void> {
    let wait = FIRST_WAIT;
    // Also with nothing to write after a failure: whoever sends requests elsewhere meanwhile must hear when it is over.
    while (queue.size > 0 || (lastFailure && !closing.signal.aborted)) {
      try {
        const limits = [AbortSignal.timeout(timeout), ...(queue.size > 0 ? [] : [closing.signal])];
        await producer.connect(AbortSignal.any(limits));
        wait = FIRST_WAIT;
        lastFailure = undefined;
      } catch (error) {
        // Nothing was sent, so trying again writes nothing twice; those whose time is over leave the queue by themselves.
        onFailure((lastFailure = errorOf(error)));
        await delay(wait);
        wait = Math.min(2 * wait, LONGEST_WAIT);
        continue;
      }
      if (queue.size > 0) await sendAll(take());
    }
  }

  function start(): void {
    running ??= run().finally(() => {
      running = undefined;
      if (queue.size > 0) start();
    });
  }

  return {
    write(records) {
      if (closing.signal.aborted) return Promise.reject(new RetryableError('the process is stopping'));
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          queue.delete(write);
          const reason = lastFailure ? `: ${lastFailure.message}` : '';
          reject(new RetryableError(`the brokers did not answer within ${timeout} ms${reason}`));
        }, timeout);
        const settle =
          <Value>(settled: (value: Value) => void) =>
          (value: Value) => {
            clearTimeout(timer);
            settled(value);
          };
        const messages = records.map(topicMessageOf);
        const write: Write = {
          records: messages,
          bytes: messages.reduce((sum, message) => sum + sizeOf(message), 0),
          resolve: settle(resolve),
          reject: settle(reject),
        };
        queue.add(write);
        start();
      });
    },

    failure: () => lastFailure,

    async close() {
      closing.abort();
      await running;
      await producer.close();
    },
  };
}

function topicMessageOf({ topic, key, value, headers }: OutRecord): TopicMessage {
  return { topic, message: { key, value, headers: { ...headers } } };
}

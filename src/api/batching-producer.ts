import { setTimeout as delay } from 'node:timers/promises';
import { Kafka, Partitioners, type Message, type Producer, type RecordMetadata } from 'kafkajs';
import { RetryableError } from '../errors.ts';
import { kafkaClientOptions, type KafkaConfig } from '../kafka.ts';
import { RecordTooLargeError, writeError } from '../topic-writer.ts';
import type { Position } from '../types.ts';
import { withinLimit } from './time-limit.ts';

/** A record to write. */
export interface OutRecord {
  readonly topic: string;
  readonly key: string;
  readonly value: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Where a record was written; undefined where the brokers had it from an attempt before and do not say. */
export type WrittenAt = Position | undefined;

/** Writes records of many callers in few requests. */
export interface BatchingProducer {
  /**
   * Resolves when all replicas have all of the records, with their positions in order. Throws RetryableError when that is
   * not known within the time-out (they may have been written all the same), RecordTooLargeError or StoreError when brokers
   * refuse them.
   */
  write(records: readonly OutRecord[]): Promise<readonly WrittenAt[]>;
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
  readonly records: readonly OutRecord[];
  readonly bytes: number;
  readonly resolve: (positions: readonly WrittenAt[]) => void;
  readonly reject: (error: Error) => void;
}

/** Most bytes of one request: under the megabyte that brokers take of a record batch by default. */
const REQUEST_BYTES = 512 * 1024;
/** What a record's framing and header names take, at most. */
const RECORD_OVERHEAD = 128;
const FIRST_WAIT = 100;
const LONGEST_WAIT = 1000;

/**
 * One produce request is under way at a time, by an idempotent producer with acks from all replicas; what comes meanwhile
 * goes together in the next. So a lone record goes at once, and under load a request carries what came during one round
 * trip. A producer that failed may go on failing when the brokers are back, so it is replaced.
 */
export function createBatchingProducer(options: BatchingProducerOptions): BatchingProducer {
  const { kafka, timeout, onFailure } = options;
  const client = new Kafka({
    ...kafkaClientOptions(kafka, { retries: 3 }),
    requestTimeout: Math.min(kafka.request_timeout, timeout),
    connectionTimeout: Math.min(kafka.connection_timeout, timeout),
  });
  const chosen = new WeakMap<Message, number>();
  const queue = new Set<Write>();
  let open: Producer | undefined;
  let running: Promise<void> | undefined;
  let lastFailure: Error | undefined;
  let closing = false;

  async function connected(): Promise<Producer> {
    if (open) return open;
    const fresh = client.producer({
      idempotent: true,
      allowAutoTopicCreation: false,
      createPartitioner() {
        const choose = Partitioners.DefaultPartitioner();
        // The answer names first offsets by partition: whose they are follows from the partitions and the order.
        return (args) => {
          const partition = choose(args);
          chosen.set(args.message, partition);
          return partition;
        };
      },
    });
    try {
      await withinLimit(timeout, fresh.connect(), () => fresh.disconnect());
    } catch (error) {
      fresh.disconnect().catch(() => undefined);
      throw error;
    }
    return (open = fresh);
  }

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

  async function send(batch: readonly Write[], producer: Producer): Promise<(readonly WrittenAt[])[]> {
    const messages = batch.map(({ records }) => records.map(messageOf));
    const topicMessages = [...Map.groupBy(messages.flat(), ({ topic }) => topic)].map(([topic, own]) => ({
      topic,
      messages: own.map(({ message }) => message),
    }));
    const sending = producer.sendBatch({ acks: -1, timeout, topicMessages });
    // What is given up may still go on: kafkajs must not keep its connections when it ends.
    const answer = await withinLimit(timeout, sending, () => producer.disconnect());
    const positionOf = positionsFrom(answer);
    return messages.map((own) =>
      own.map(({ topic, message }) => positionOf(topic, chosen.get(message) ?? NaN)),
    );
  }

  async function sendAll(batch: readonly Write[], producer: Producer): Promise<void> {
    try {
      const positions = await send(batch, producer);
      for (const [index, { resolve }] of batch.entries()) resolve(positions[index]!);
      lastFailure = undefined;
    } catch (error) {
      const failure = failureOf(error, batch);
      const isTooLarge = failure instanceof RecordTooLargeError;
      if (isTooLarge && batch.length > 1) {
        for (const write of batch) await sendAll([write], await connected());
        return;
      }
      for (const { reject } of batch) reject(failure);
      if (isTooLarge) return;
      onFailure((lastFailure = failure));
      if (open === producer) open = undefined;
      producer.disconnect().catch(() => undefined);
    }
  }

  async function run(): Promise<void> {
    let wait = FIRST_WAIT;
    while (queue.size > 0) {
      try {
        const producer = await connected();
        wait = FIRST_WAIT;
        await sendAll(take(), producer);
      } catch (error) {
        // Nothing was sent, so trying again writes nothing twice; those whose time is over leave the queue by themselves.
        onFailure((lastFailure = failureOf(error, [...queue])));
        await delay(wait);
        wait = Math.min(2 * wait, LONGEST_WAIT);
      }
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
      if (closing) return Promise.reject(new RetryableError('the process is stopping'));
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
        const write: Write = {
          records,
          bytes: records.reduce((sum, record) => sum + sizeOf(record), 0),
          resolve: settle(resolve),
          reject: settle(reject),
        };
        queue.add(write);
        start();
      });
    },

    async close() {
      closing = true;
      await running;
      await open?.disconnect();
      open = undefined;
    },
  };
}

function messageOf({ topic, key, value, headers }: OutRecord): { topic: string; message: Message } {
  return { topic, message: { key, value, headers: { ...headers } } };
}

/**
 * Where messages stand, asked in their order: those of a partition follow each other from the offset that the answer names.
 * Throws RetryableError for a partition that the answer does not have.
 */
function positionsFrom(answer: readonly RecordMetadata[]): (topic: string, partition: number) => WrittenAt {
  const nameOf = (topic: string, partition: number) => `${topic}/${partition}`;
  const next = new Map(
    answer.map(({ topicName, partition, baseOffset }) => [nameOf(topicName, partition), Number(baseOffset)]),
  );
  return (topic, partition) => {
    const name = nameOf(topic, partition);
    const offset = next.get(name);
    // kafkajs drops, without an error, what goes to a partition that has no leader.
    if (offset === undefined)
      throw new RetryableError(`expected a leader for every partition of ${topic}, got none for one`);
    if (offset < 0) return undefined;
    next.set(name, offset + 1);
    return { topic, partition, offset };
  };
}

function sizeOf({ key, value, headers }: OutRecord): number {
  const texts = [key, value, ...Object.values(headers)];
  return texts.reduce((sum, text) => sum + Buffer.byteLength(text), RECORD_OVERHEAD);
}

function failureOf(error: unknown, writes: readonly Write[]): Error {
  const topics = new Set(writes.flatMap(({ records }) => records.map(({ topic }) => topic)));
  return writeError(error, 'topic', [...topics].join(', '));
}

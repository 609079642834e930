import { Kafka, Partitioners, type Message, type RecordMetadata } from 'kafkajs';
import { RetryableError, StoreError, isOperational, messageOf } from './errors.ts';
import { kafkaClientOptions, type KafkaConfig } from './kafka.ts';
import type { Position } from './types.ts';

/** A record to write: to the partition that `message` names, else to that of its key, as Java's producer has it. */
export interface TopicMessage {
  readonly topic: string;
  readonly message: Message;
}

/** Where a record was written; undefined where the brokers had it from an attempt before and do not say. */
export type WrittenAt = Position | undefined;

/** Writes records to topics. */
export interface KafkaProducer {
  /** Connects unless it is connected. Throws RetryableError when no broker answers, or `signal` is aborted. */
  connect(signal?: AbortSignal): Promise<void>;
  /**
   * Resolves when all replicas have all of them, with their positions in order. Else some may have been written all the same:
   * throws RetryableError when that is not known, also when `signal` is aborted, after which no more of them is sent;
   * RecordTooLargeError or StoreError when brokers refuse them. Calls are served one after another.
   */
  send(records: readonly TopicMessage[], signal?: AbortSignal): Promise<readonly WrittenAt[]>;
  /** Ends the connections; what is under way fails. */
  close(): Promise<void>;
}

/** Brokers refused a request for the size of a record in it. */
export class RecordTooLargeError extends StoreError {
  override name = 'RecordTooLargeError';
}

/** Most bytes of one request: under the megabyte that brokers take of a record batch by default. */
export const REQUEST_BYTES = 512 * 1024;
/** What a record's own framing takes, at most, beside its parts. */
const RECORD_OVERHEAD = 128;

/**
 * An idempotent producer, acknowledged by all replicas. `at` is the key of the configuration that names the topic, for errors;
 * `retries` are those of kafkajs for one request.
 *
 * One request is under way at a time, and a producer that failed is replaced: kafkajs takes back the sequence numbers of a
 * failed request, those of partitions included that have it, and brokers would drop what comes under them next as repeats.
 */
export function createKafkaProducer(options: {
  readonly kafka: KafkaConfig;
  readonly at: string;
  readonly retries?: number;
}): KafkaProducer {
  const { kafka, at, retries = 5 } = options;
  const client = new Kafka(kafkaClientOptions(kafka, { retries }));
  let session: Session | undefined;
  let turn = Promise.resolve();
  let isClosed = false;

  async function inTurn<Result>(
    work: (open: Session) => Promise<Result>,
    { signal, topics }: { readonly signal: AbortSignal | undefined; readonly topics: readonly string[] },
  ): Promise<Result> {
    const before = turn;
    const { promise, resolve } = Promise.withResolvers<void>();
    turn = promise;
    try {
      await unlessAborted(before, signal);
      return await withSession(work, signal);
    } catch (error) {
      throw writeError(error, at, topics);
    } finally {
      // Also of one that did not wait for it.
      void before.then(resolve);
    }
  }

  async function withSession<Result>(
    work: (open: Session) => Promise<Result>,
    signal: AbortSignal | undefined,
  ): Promise<Result> {
    if (isClosed) throw new RetryableError('the producer is closed');
    const open = (session ??= createSession(client, kafka.request_timeout));
    try {
      await open.connect(signal);
      return await work(open);
    } catch (error) {
      session = undefined;
      // Not awaited: it waits for what brokers owe it.
      void open.end();
      throw error;
    }
  }

  return {
    connect: (signal) => inTurn(() => Promise.resolve(), { signal, topics: [] }),
    send(records, signal) {
      const topics = [...new Set(records.map(({ topic }) => topic))];
      return inTurn(
        async (open) => {
          const positions: WrittenAt[] = [];
          for (const request of requestsOf(records)) positions.push(...(await open.send(request, signal)));
          return positions;
        },
        { signal, topics },
      );
    },
    async close() {
      isClosed = true;
      await session?.end();
    },
  };
}

/** One producer of kafkajs, until its first failure. */
interface Session {
  connect(signal: AbortSignal | undefined): Promise<void>;
  send(records: readonly TopicMessage[], signal: AbortSignal | undefined): Promise<readonly WrittenAt[]>;
  /** From now on nothing is sent, kafkajs's own attempts included. */
  end(): Promise<void>;
}

/** `timeout`: how long brokers may wait for replicas, milliseconds. */
function createSession(client: Kafka, timeout: number): Session {
  /** Of the records that are being sent. */
  let chosen = new WeakMap<Message, number>();
  let connected: Promise<void> | undefined;
  let underWay: Promise<unknown> | undefined;
  let isOver = false;
  const producer = client.producer({
    idempotent: true,
    allowAutoTopicCreation: false,
    createPartitioner() {
      const choose = Partitioners.DefaultPartitioner();
      // Asked anew before each attempt. A record keeps its partition: an attempt skips brokers that have answered, and the
      // answer says which partitions were written, not which records.
      return (args) => {
        if (isOver) throw new RetryableError('the producer is closed');
        const partition = chosen.get(args.message) ?? choose(args);
        chosen.set(args.message, partition);
        return partition;
      };
    },
  });
  const disconnect = () => producer.disconnect().catch(() => undefined);

  return {
    connect(signal) {
      underWay = connected ??= producer.connect();
      return unlessAborted(connected, signal);
    },

    async send(records, signal) {
      const topicMessages = [...Map.groupBy(records, ({ topic }) => topic)].map(([topic, own]) => ({
        topic,
        messages: own.map(({ message }) => message),
      }));
      chosen = new WeakMap();
      const sending = producer.sendBatch({ acks: -1, timeout, topicMessages });
      underWay = sending;
      const positionOf = positionsFrom(await unlessAborted(sending, signal));
      return records.map(({ topic, message }) => positionOf(topic, chosen.get(message) ?? NaN));
    },

    async end() {
      isOver = true;
      await disconnect();
      // What was under way may have connected anew.
      await underWay?.catch(() => undefined);
      await disconnect();
    },
  };
}

/**
 * Where records stand, asked in their order: those of a partition follow each other from the offset that the answer names.
 * Throws RetryableError for a partition that the answer does not have: kafkajs resolves also when it left some out, such as one
 * that it has not heard of, or one that moved to a broker which had answered already.
 */
function positionsFrom(answer: readonly RecordMetadata[]): (topic: string, partition: number) => WrittenAt {
  const nameOf = (topic: string, partition: number) => `${topic}/${partition}`;
  const next = new Map(
    answer.map(({ topicName, partition, baseOffset }) => [nameOf(topicName, partition), Number(baseOffset)]),
  );
  return (topic, partition) => {
    const name = nameOf(topic, partition);
    const offset = next.get(name);
    if (offset === undefined)
      throw new RetryableError(`expected an answer for partition ${partition} of ${topic}, got none`);
    if (offset < 0) return undefined;
    next.set(name, offset + 1);
    return { topic, partition, offset };
  };
}

/** As `work`, but RetryableError as soon as `signal` is aborted. */
function unlessAborted<Value>(work: Promise<Value>, signal: AbortSignal | undefined): Promise<Value> {
  if (!signal) return work;
  return new Promise((resolve, reject) => {
    const give = () => reject(new RetryableError('expected an answer in time, got none'));
    if (signal.aborted) give();
    signal.addEventListener('abort', give, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', give));
  });
}

/** Records in requests; one that is larger than a request goes alone. */
function requestsOf(records: readonly TopicMessage[]): TopicMessage[][] {
  const result: TopicMessage[][] = [];
  let bytes = Infinity;
  for (const record of records) {
    const size = sizeOf(record);
    if (bytes + size > REQUEST_BYTES) {
      result.push([]);
      bytes = 0;
    }
    bytes += size;
    result.at(-1)!.push(record);
  }
  return result;
}

/** Bytes that a record takes in a request, at most. */
export function sizeOf({ message: { key, value, headers } }: TopicMessage): number {
  let size = RECORD_OVERHEAD + Buffer.byteLength(key ?? '') + Buffer.byteLength(value ?? '');
  for (const [name, content] of Object.entries(headers ?? {})) {
    size += 3 * name.length + 16;
    for (const each of [content].flat()) size += Buffer.byteLength(each ?? '');
  }
  return size;
}

/** What kafkajs threw, as one of ours. `at` is the key of the configuration that names the topics. */
export function writeError(error: unknown, at: string, topics: readonly string[]): Error {
  const what = `${[at, topics.join(', ')].filter(Boolean).join(' ')}: ${messageOf(error)}`;
  if (isOperational(error))
    return error instanceof RetryableError ? new RetryableError(what, { cause: error }) : error;
  const type: unknown = error instanceof Error ? Reflect.get(error, 'type') : undefined;
  if (type === 'MESSAGE_TOO_LARGE' || type === 'RECORD_LIST_TOO_LARGE')
    return new RecordTooLargeError(`${what}: raise max.message.bytes of the topic`, { cause: error });
  if (type === 'TOPIC_AUTHORIZATION_FAILED' || type === 'CLUSTER_AUTHORIZATION_FAILED')
    return new StoreError(`${what}: allow the user Write on the topic`, { cause: error });
  return new RetryableError(what, { cause: error });
}

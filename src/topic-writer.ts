import { Kafka, type Message, type Producer } from 'kafkajs';
import { MisconfiguredError, RetryableError, StoreError, isOperational, messageOf } from './errors.ts';
import { kafkaClientOptions, type KafkaConfig } from './kafka.ts';

/** Most bytes of one request: under the megabyte that brokers take of a record batch by default. */
const REQUEST_BYTES = 512 * 1024;
/** What a record's own framing takes, at most, beside its parts. */
const RECORD_OVERHEAD = 128;

/** A topic that is written to. */
export interface TopicWriter {
  readonly topic: string;
  /** Proves that the topic exists; throws MisconfiguredError, or RetryableError when no broker answers. */
  check(): Promise<void>;
  /** Resolves when all replicas have all of them. Calling it again after a failure writes them again. */
  write(messages: readonly Message[]): Promise<void>;
  close(): Promise<void>;
}

/** Brokers refused one record, which stands alone in its request, for its size. */
export class RecordTooLargeError extends StoreError {
  override name = 'RecordTooLargeError';
}

/**
 * Writes to a topic by an idempotent producer, acknowledged by all replicas. `at` is the key of the configuration that names
 * the topic, for errors. Throws RetryableError when brokers do not answer, RecordTooLargeError and StoreError when they refuse.
 */
export function createTopicWriter(options: {
  readonly topic: string;
  readonly kafka: KafkaConfig;
  readonly at: string;
}): TopicWriter {
  const { topic, at } = options;
  const client = new Kafka(kafkaClientOptions(options.kafka));
  let connected: Promise<Producer> | undefined;

  function producer(): Promise<Producer> {
    connected ??= (async () => {
      const fresh = client.producer({ idempotent: true, allowAutoTopicCreation: false });
      await fresh.connect();
      return fresh;
    })();
    return connected;
  }

  /** A producer that failed may go on failing after the brokers are back: the next write makes another one. */
  async function disconnect(old: Promise<Producer> | undefined): Promise<void> {
    if (connected === old) connected = undefined;
    await old?.then((each) => each.disconnect()).catch(() => undefined);
  }

  return {
    topic,

    async check() {
      const admin = client.admin();
      try {
        await admin.connect();
        const topics = await admin.listTopics();
        if (topics.includes(topic)) return;
        throw new MisconfiguredError(
          `${at}: expected a topic that exists, got ${topic}: create it, with a max.message.bytes that fits the largest message`,
        );
      } catch (error) {
        if (isOperational(error)) throw error;
        const cause = writeError(error, at, topic);
        throw new MisconfiguredError(cause.message, { cause });
      } finally {
        await admin.disconnect().catch(() => undefined);
      }
    },

    async write(messages) {
      const own = producer();
      try {
        const open = await own;
        for (const request of requests(messages)) {
          const written = await open.send({ topic, acks: -1, messages: request });
          // kafkajs drops, without an error, what goes to a partition that it has not heard of.
          if (written.length === 0) throw new RetryableError('expected partitions to write to, got none');
        }
      } catch (error) {
        const cause = writeError(error, at, topic);
        // Also after `close`: a request that was under way then has connected anew.
        if (!(cause instanceof RecordTooLargeError)) await disconnect(own);
        throw cause;
      }
    },

    close: () => disconnect(connected),
  };
}

/** Records in requests; one that is larger than a request goes alone. */
function requests(messages: readonly Message[]): Message[][] {
  const result: Message[][] = [];
  let bytes = Infinity;
  for (const message of messages) {
    const size = sizeOf(message);
    if (bytes + size > REQUEST_BYTES) {
      result.push([]);
      bytes = 0;
    }
    bytes += size;
    result.at(-1)!.push(message);
  }
  return result;
}

function sizeOf({ key, value, headers }: Message): number {
  let size = RECORD_OVERHEAD + (key?.length ?? 0) + (value?.length ?? 0);
  for (const [name, content] of Object.entries(headers ?? {})) {
    size += 3 * name.length + 16;
    for (const each of [content].flat()) size += Buffer.byteLength(each ?? '');
  }
  return size;
}

/** What kafkajs threw on a write, as one of ours; `at` is the key of the configuration that names the topic. */
export function writeError(error: unknown, at: string, topic: string): Error {
  if (isOperational(error)) return error;
  const type: unknown = error instanceof Error ? Reflect.get(error, 'type') : undefined;
  const what = `${at} ${topic}: ${messageOf(error)}`;
  if (type === 'MESSAGE_TOO_LARGE' || type === 'RECORD_LIST_TOO_LARGE')
    return new RecordTooLargeError(`${what}: raise max.message.bytes of the topic`, { cause: error });
  if (type === 'TOPIC_AUTHORIZATION_FAILED' || type === 'CLUSTER_AUTHORIZATION_FAILED')
    return new StoreError(`${what}: allow the user Write on the topic`, { cause: error });
  return new RetryableError(what, { cause: error });
}

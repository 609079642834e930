import { Kafka, type Message, type Producer } from 'kafkajs';
import { MisconfiguredError, RetryableError, StoreError, isOperational, messageOf } from '../errors.ts';
import { kafkaClientOptions, type KafkaConfig } from '../kafka.ts';
import type { DeadLetter } from '../types.ts';

/** Most bytes of values of one request: under the megabyte that brokers take of a record batch by default. */
const REQUEST_BYTES = 512 * 1024;

/** Where dead letters are kept as records. */
export interface DeadLetterTopicOptions {
  readonly topic: string;
  readonly kafka: KafkaConfig;
}

/** A topic of dead letters. */
export interface DeadLetterTopic {
  readonly topic: string;
  /** Proves that the topic exists; throws MisconfiguredError. */
  check(): Promise<void>;
  /** Resolves when all replicas have all of them. Calling it again after a failure writes them again. */
  send(letters: readonly DeadLetter[]): Promise<void>;
  close(): Promise<void>;
}

/**
 * Dead letters as they came: the original value, key and headers. Headers `sluice-id` (`topic-partition-offset`, the same on
 * every repeat), `sluice-topic`, `-partition`, `-offset`, `-timestamp`, `-received-at`, `-stage`, `-code` and `-detail` say
 * where from and why.
 */
export function createDeadLetterTopic({ topic, kafka }: DeadLetterTopicOptions): DeadLetterTopic {
  const client = new Kafka(kafkaClientOptions(kafka));
  let connected: Promise<Producer> | undefined;

  function producer(): Promise<Producer> {
    connected ??= (async () => {
      const fresh = client.producer({ idempotent: true, allowAutoTopicCreation: false });
      await fresh.connect();
      return fresh;
    })();
    return connected;
  }

  /** A producer that failed may go on failing after the brokers are back: the next call makes another one. */
  async function disconnect(): Promise<void> {
    const old = connected;
    connected = undefined;
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
          `dead_letters.topic: expected a topic that exists, got ${topic}: create it, with a max.message.bytes that fits the largest message`,
        );
      } catch (error) {
        if (isOperational(error)) throw error;
        const cause = sendError(error, topic);
        throw new MisconfiguredError(cause.message, { cause });
      } finally {
        await admin.disconnect().catch(() => undefined);
      }
    },

    async send(letters) {
      try {
        const open = await producer();
        for (const messages of requests(letters)) {
          const written = await open.send({ topic, acks: -1, messages });
          // kafkajs drops, without an error, what goes to a partition that it has not heard of.
          if (written.length === 0) throw new RetryableError('expected partitions to write to, got none');
        }
      } catch (error) {
        await disconnect();
        throw sendError(error, topic);
      }
    },

    close: disconnect,
  };
}

/** What the headers of a record and its own framing take, at most, beside its own parts. */
const RECORD_OVERHEAD = 512;

/** Letters as records in requests; one that is larger than a request goes alone. */
function requests(letters: readonly DeadLetter[]): Message[][] {
  const result: Message[][] = [];
  let bytes = Infinity;
  for (const letter of letters) {
    const size = sizeOf(letter);
    if (bytes + size > REQUEST_BYTES) {
      result.push([]);
      bytes = 0;
    }
    bytes += size;
    result.at(-1)!.push(recordOf(letter));
  }
  return result;
}

function sizeOf({ bytes, key, headers, topic, detail }: DeadLetter): number {
  let size = RECORD_OVERHEAD + bytes.length + (key?.length ?? 0) + 2 * topic.length + 3 * detail.length;
  for (const [name, value] of Object.entries(headers ?? {})) size += 3 * name.length + value.length;
  return size;
}

function recordOf(letter: DeadLetter): Message {
  const { topic, partition, offset, stage, code, detail, timestamp, receivedAt, bytes, key, headers } =
    letter;
  const original = Object.entries(headers ?? {}).map(([name, value]) => [name, Buffer.from(value)]);
  return {
    key: key && Buffer.from(key),
    value: Buffer.from(bytes),
    headers: {
      ...Object.fromEntries(original),
      'sluice-id': `${topic}-${partition}-${offset}`,
      'sluice-topic': topic,
      'sluice-partition': String(partition),
      'sluice-offset': String(offset),
      ...(timestamp === null ? {} : { 'sluice-timestamp': String(timestamp) }),
      'sluice-received-at': String(receivedAt),
      'sluice-stage': stage,
      'sluice-code': code,
      'sluice-detail': detail,
    },
  };
}

function sendError(error: unknown, topic: string): Error {
  if (isOperational(error)) return error;
  const type: unknown = error instanceof Error ? Reflect.get(error, 'type') : undefined;
  const what = `dead_letters.topic ${topic}: ${messageOf(error)}`;
  if (type === 'MESSAGE_TOO_LARGE' || type === 'RECORD_LIST_TOO_LARGE')
    return new StoreError(`${what}: raise max.message.bytes of the topic`, { cause: error });
  if (type === 'TOPIC_AUTHORIZATION_FAILED' || type === 'CLUSTER_AUTHORIZATION_FAILED')
    return new StoreError(`${what}: allow the user Write on the topic`, { cause: error });
  return new RetryableError(what, { cause: error });
}

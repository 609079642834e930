import { Kafka, type Message } from 'kafkajs';
import { MisconfiguredError, isOperational } from './errors.ts';
import { createKafkaProducer, writeError } from './kafka-producer.ts';
import { kafkaClientOptions, type KafkaConfig } from './kafka.ts';

/** A topic that is written to. */
export interface TopicWriter {
  readonly topic: string;
  /** Proves that the topic exists; throws MisconfiguredError, or RetryableError when no broker answers. */
  check(): Promise<void>;
  /**
   * Resolves when all replicas have all of them. Throws RetryableError when that is not known, also when `signal` is aborted, after
   * which no more of them is sent; RecordTooLargeError or StoreError when brokers refuse. Calling it again writes them again.
   */
  write(messages: readonly Message[], signal?: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** Writes to one topic. `at` is the key of the configuration that names it, for errors. Nothing is connected yet. */
export function createTopicWriter(options: {
  readonly topic: string;
  readonly kafka: KafkaConfig;
  readonly at: string;
}): TopicWriter {
  const { topic, kafka, at } = options;
  const producer = createKafkaProducer({ kafka, at });
  return {
    topic,

    async check() {
      const admin = new Kafka(kafkaClientOptions(kafka)).admin();
      try {
        await admin.connect();
        const topics = await admin.listTopics();
        if (topics.includes(topic)) return;
        throw new MisconfiguredError(
          `${at}: expected a topic that exists, got ${topic}: create it, with a max.message.bytes that fits the largest message`,
        );
      } catch (error) {
        if (isOperational(error)) throw error;
        const cause = writeError(error, at, [topic]);
        throw new MisconfiguredError(cause.message, { cause });
      } finally {
        await admin.disconnect().catch(() => undefined);
      }
    },

    async write(messages, signal) {
      if (messages.length === 0) return;
      await producer.send(
        messages.map((message) => ({ topic, message })),
        signal,
      );
    },

    close: () => producer.close(),
  };
}

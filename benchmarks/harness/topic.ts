import { Kafka, logLevel, type Producer } from 'kafkajs';
import pRetry from 'p-retry';
import { createTopic } from '../../scripts/services/topic.ts';
import { registerCodecs } from '../../src/kafka-codecs.ts';
import { kafkaClientOptions, kafkaConfig } from '../../src/kafka.ts';
import { content } from '../content.ts';

/** How the record batches of a topic are compressed. */
export const TOPIC_CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;

/** A topic to read. */
export interface TopicOptions {
  readonly messages: number;
  /** Size of a message, in bytes. */
  readonly bytes: number;
  readonly customers: number;
  readonly codec: (typeof TOPIC_CODECS)[number];
}

/** What the benchmarks read unless they say otherwise. */
export const USUAL_TOPIC = { bytes: 300, customers: 50, codec: 'zstd' } as const;
/** Partitions of every topic. */
export const PARTITIONS = 4;
/** When the messages of every topic begin, and the days that they spread over: about two hours of a quiet night. */
const START = '2026-11-01T00:00:00Z';
const DAYS = 0.03;
const SEED = 11;
/** About what a producer that waits a few milliseconds sends at once, in bytes. */
const BATCH_BYTES = 128 * 1024;
const AT_ONCE = 8;

/** Fills a topic unless it is there, whole. Resolves with its name, which tells what is in it. */
export async function fillTopic(broker: string, options: TopicOptions): Promise<string> {
  const { messages, bytes, customers, codec } = options;
  const topic = `bench.${messages}x${bytes}.${customers}-customers.${codec}.seed${SEED}`;
  const kafka = new Kafka({
    ...kafkaClientOptions(kafkaConfig.parse({ brokers: [broker] })),
    logLevel: logLevel.NOTHING,
  });
  const admin = kafka.admin();
  await admin.connect();
  try {
    if ((await admin.listTopics()).includes(topic)) {
      if ((await countMessages(admin, topic)) === messages) return topic;
      await admin.deleteTopics({ topics: [topic] });
      while ((await admin.listTopics()).includes(topic)) await new Promise((next) => setTimeout(next, 100));
    }
    await createTopic(admin, topic, PARTITIONS, { 'retention.ms': '-1', 'max.message.bytes': '4194304' });
    registerCodecs();
    const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 5 });
    await producer.connect();
    try {
      await produce(producer, topic, options);
    } finally {
      await producer.disconnect();
    }
    const found = await countMessages(admin, topic);
    if (found !== messages) throw new Error(`expected ${messages} messages in ${topic}, got ${found}`);
    return topic;
  } finally {
    await admin.disconnect();
  }
}

async function produce(producer: Producer, topic: string, options: TopicOptions): Promise<void> {
  const { messages, bytes, customers, codec } = options;
  const compression = TOPIC_CODECS.indexOf(codec);
  const rows = Math.ceil(BATCH_BYTES / bytes);
  let batch: { value: Buffer; partition: number }[] = [];
  let sending: Promise<unknown>[] = [];
  let batches = 0;
  const send = () => {
    sending.push(producer.send({ topic, messages: batch, compression }));
    batch = [];
    batches++;
  };
  for (const value of content({
    messages,
    bytes,
    customers,
    seed: SEED,
    start: START,
    days: DAYS,
    uniform: true,
  })) {
    batch.push({ value, partition: batches % PARTITIONS });
    if (batch.length < rows) continue;
    send();
    if (sending.length < AT_ONCE) continue;
    await Promise.all(sending);
    sending = [];
  }
  if (batch.length > 0) send();
  await Promise.all(sending);
}

interface OffsetsReader {
  fetchTopicOffsets(topic: string): Promise<{ readonly low: string; readonly high: string }[]>;
}

/** Messages of a topic by its offsets: right for topics of one producer without transactions. */
async function countMessages(admin: OffsetsReader, topic: string): Promise<number> {
  // A busy broker may name a leader that does not know yet that it is one.
  const partitions = await pRetry(() => admin.fetchTopicOffsets(topic), {
    retries: 20,
    minTimeout: 100,
    factor: 1.2,
  });
  return partitions.reduce((total, { low, high }) => total + Number(high) - Number(low), 0);
}

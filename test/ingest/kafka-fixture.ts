import { randomUUID } from 'node:crypto';
import kafkajs, { type Admin, type CompressionTypes, type IHeaders, type Producer } from 'kafkajs';
import { createKafkaSource } from '../../src/ingest/kafka-source.ts';
import type { KafkaSourceOptions } from '../../src/ingest/kafka-source-options.ts';
import type { KafkaSourceConfig } from '../../src/ingest/config.ts';
import { sourceConfig } from '../../src/ingest/config.ts';
import { createTopic } from '../../scripts/services/topic.ts';
import { kafkaClientOptions, kafkaConfig, type KafkaConfig } from '../../src/kafka.ts';
import type { Source } from '../../src/ports.ts';

/** A message to produce. */
export interface Produced {
  readonly value: string | Buffer | null;
  readonly key?: string | Buffer;
  readonly headers?: IHeaders;
  readonly timestamp?: string;
}

/** A topic and a consumer group of their own on the broker that the tests share. */
export interface KafkaFixture {
  readonly topic: string;
  readonly group: string;
  readonly admin: Admin;
  readonly producer: Producer;
  /** Produces to one partition. */
  produce(
    partition: number,
    messages: readonly (string | Produced)[],
    compression?: CompressionTypes,
  ): Promise<void>;
  /** A producer for transactions, not yet connected. */
  transactional(): Producer;
  /** A member of the group. */
  open(config?: object, options?: Partial<KafkaSourceOptions>): Source;
  /** Closes what was opened, deletes topic and group. */
  remove(): Promise<void>;
}

/** What a fixture is made with. */
export interface KafkaFixtureOptions {
  readonly createClient?: KafkaSourceOptions['createClient'];
  readonly partitions?: number;
  readonly topicConfig?: Readonly<Record<string, string>>;
  readonly kafka?: object;
}

/** Address of a service that the tests need; throws when it is not there. */
export function addressOf(name: string): string {
  const address = process.env[name];
  if (address === undefined) throw new Error(`${name} is not set: the services are not up`);
  return address;
}

/** The connection's configuration, by default that of the listener without TLS and SASL. */
export function kafkaOf(overrides: object = {}): KafkaConfig {
  return kafkaConfig.parse({ brokers: [addressOf('SLUICE_KAFKA')], ...overrides });
}

/** Short time-outs, so that rebalances and lost sessions come soon. */
export function kafkaSource(topic: string, overrides: object = {}): KafkaSourceConfig {
  const parsed = sourceConfig.parse({
    type: 'kafka',
    topics: [topic],
    session_timeout: '6s',
    rebalance_timeout: '10s',
    heartbeat_interval: '200ms',
    metadata_max_age: '500ms',
    max_wait: '100ms',
    ...overrides,
  });
  if (parsed.type !== 'kafka') throw new Error('expected a Kafka source');
  return parsed;
}

/** Makes a topic with a producer and an administrator for it. */
export async function createKafkaFixture(options: KafkaFixtureOptions = {}): Promise<KafkaFixture> {
  const id = randomUUID().slice(0, 8);
  const topic = `test-${id}`;
  const group = `group-${id}`;
  const kafka = new kafkajs.Kafka(kafkaClientOptions(kafkaOf()));
  const admin = kafka.admin();
  const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
  const opened: Source[] = [];
  await Promise.all([admin.connect(), producer.connect()]);
  await createTopic(admin, topic, options.partitions ?? 1, options.topicConfig);
  return {
    topic,
    group,
    admin,
    producer,
    async produce(partition, messages, compression = kafkajs.CompressionTypes.None) {
      if (messages.length === 0) return;
      const batch = {
        topic,
        compression,
        messages: messages.map((message) => ({
          ...(typeof message === 'string' ? { value: message } : message),
          partition,
        })),
      };
      if ((await producer.send(batch)).length > 0) return;
      // kafkajs drops, without an error, what goes to a partition that it has not heard of.
      await producer.disconnect();
      await producer.connect();
      if ((await producer.send(batch)).length === 0)
        throw new Error(`${topic} has no partition ${partition}`);
    },
    transactional: () =>
      kafka.producer({
        createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
        transactionalId: `transactional-${id}`,
        maxInFlightRequests: 1,
        idempotent: true,
      }),
    open(config = {}, more = {}) {
      const source = createKafkaSource(kafkaSource(topic, config), {
        kafka: kafkaOf(options.kafka),
        group,
        ...(options.createClient ? { createClient: options.createClient } : {}),
        ...more,
      });
      opened.push(source);
      return source;
    },
    async remove() {
      await Promise.all(opened.map((source) => source.close()));
      await admin.deleteTopics({ topics: [topic] });
      await Promise.all([admin.disconnect(), producer.disconnect()]);
    },
  };
}

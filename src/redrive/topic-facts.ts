import kafkajs, { type Admin } from 'kafkajs';
import { MisconfiguredError, RetryableError, isOperational, messageOf } from '../errors.ts';
import { kafkaClientOptions, type KafkaConfig } from '../kafka.ts';
import { persistently } from './patience.ts';
import type { TopicFacts } from './plan.ts';

/** Asks brokers about topics, each once. */
export interface TopicLookup {
  /** Throws MisconfiguredError for a topic that does not exist, RetryableError when brokers do not answer. */
  factsOf(topic: string): Promise<TopicFacts>;
  close(): Promise<void>;
}

/** Nothing is connected before the first question. */
export function createTopicLookup(kafka: KafkaConfig): TopicLookup {
  let connected: Promise<Admin> | undefined;
  const known = new Map<string, Promise<TopicFacts>>();

  async function connect(): Promise<Admin> {
    // Whoever asks is patient.
    const admin = new kafkajs.Kafka(kafkaClientOptions(kafka, { retries: 0 })).admin();
    await admin.connect();
    return admin;
  }

  async function ask(topic: string): Promise<TopicFacts> {
    try {
      const admin = await (connected ??= connect());
      const topics = await admin.listTopics();
      if (!topics.includes(topic))
        throw new MisconfiguredError(`redrive: expected a topic ${topic} to send to, got none of that name`);
      const { topics: found } = await admin.fetchTopicMetadata({ topics: [topic] });
      return { partitions: found[0]!.partitions.length, retention: await retentionOf(topic, admin) };
    } catch (error) {
      if (isOperational(error)) throw error;
      await disconnect();
      throw new RetryableError(`topic ${topic}: ${messageOf(error)}`, { cause: error });
    }
  }

  async function disconnect(): Promise<void> {
    const old = connected;
    connected = undefined;
    await old?.then((admin) => admin.disconnect()).catch(() => undefined);
  }

  return {
    factsOf(topic) {
      const facts = known.get(topic) ?? persistently(() => ask(topic));
      known.set(topic, facts);
      return facts;
    },
    close: disconnect,
  };
}

async function retentionOf(topic: string, admin: Admin): Promise<number> {
  const configNames = ['retention.ms', 'cleanup.policy'];
  try {
    const { resources } = await admin.describeConfigs({
      resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic, configNames }],
      includeSynonyms: false,
    });
    const valueOf = (name: string) =>
      resources[0]?.configEntries.find((entry) => entry.configName === name)?.configValue;
    const millis = Number(valueOf('retention.ms') ?? -1);
    return millis < 0 || !(valueOf('cleanup.policy') ?? 'delete').includes('delete') ? Infinity : millis;
  } catch (error) {
    // Writing to a topic does not include asking for its settings; then nothing is known of it.
    if (error instanceof Error && Reflect.get(error, 'type') === 'TOPIC_AUTHORIZATION_FAILED')
      return Infinity;
    throw error;
  }
}

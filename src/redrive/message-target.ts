import type { Message } from 'kafkajs';
import { RecordTooLargeError } from '../kafka-producer.ts';
import type { KafkaConfig } from '../kafka.ts';
import { createTopicWriter, type TopicWriter } from '../topic-writer.ts';
import { persistently } from './patience.ts';
import type { PlannedMessage } from './plan.ts';
import type { OpenTarget } from './target.ts';

/** Topics as a target: by idempotent producers, acknowledged by all replicas; in the order of the letters within a partition. */
export function createMessageTarget(kafka: KafkaConfig): OpenTarget<PlannedMessage> {
  const writers = new Map<string, TopicWriter>();

  function writerOf(topic: string): TopicWriter {
    const writer = writers.get(topic) ?? createTopicWriter({ topic, kafka, at: 'redrive: topic' });
    writers.set(topic, writer);
    return writer;
  }

  return {
    async send(messages) {
      const refused = new Map<number, string>();
      const indexed = messages.map((message, index) => ({ message, index }));
      // A request is for one partition where that is known: then one with a record that is too large has written nothing, and
      // no letter is sent twice.
      const groups = Map.groupBy(
        indexed,
        ({ message: { topic, partition } }) => `${topic} ${partition ?? 'by key'}`,
      );
      for (const group of groups.values()) {
        const writer = writerOf(group[0]!.message.topic);
        const write = (some: typeof group) =>
          persistently(() => writer.write(some.map(({ message }) => recordOf(message))));
        try {
          await write(group);
        } catch (error) {
          if (!(error instanceof RecordTooLargeError)) throw error;
          // One by one, so that only those that are too large are refused.
          for (const each of group) {
            await write([each]).catch((reason: unknown) => {
              if (!(reason instanceof RecordTooLargeError)) throw reason;
              refused.set(each.index, reason.message);
            });
          }
        }
      }
      return refused;
    },
    async close() {
      await Promise.all([...writers.values()].map((writer) => writer.close()));
    },
  };
}

function recordOf({ partition, timestamp, key, value, headers }: PlannedMessage): Message {
  return {
    key: key && Buffer.from(key),
    value: Buffer.from(value),
    headers: Object.fromEntries(Object.entries(headers).map(([name, each]) => [name, Buffer.from(each)])),
    ...(partition === undefined ? {} : { partition }),
    ...(timestamp === undefined ? {} : { timestamp: String(timestamp) }),
  };
}

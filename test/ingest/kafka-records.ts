import { randomUUID } from 'node:crypto';
import kafkajs, { type KafkaMessage } from 'kafkajs';
import { kafkaClientOptions } from '../../src/kafka.ts';
import { kafkaOf } from './kafka-fixture.ts';

/** The first `count` records of a topic, by another consumer than the one under test. */
export async function recordsOf(topic: string, count: number): Promise<KafkaMessage[]> {
  const consumer = new kafkajs.Kafka(kafkaClientOptions(kafkaOf())).consumer({
    groupId: `read-${randomUUID()}`,
  });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  const records: KafkaMessage[] = [];
  await new Promise<void>((resolve, reject) => {
    consumer
      .run({
        eachMessage: ({ message }) => {
          records.push(message);
          if (records.length === count) resolve();
          return Promise.resolve();
        },
      })
      .catch(reject);
  });
  await consumer.disconnect();
  return records;
}

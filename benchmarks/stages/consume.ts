import { randomUUID } from 'node:crypto';
import { sourceConfig, type KafkaSourceConfig } from '../../src/ingest/config.ts';
import { createKafkaSource } from '../../src/ingest/index.ts';
import { kafkaConfig } from '../../src/kafka.ts';
import { fillTopic, USUAL_TOPIC } from '../harness/topic.ts';
import type { Stage } from './stage.ts';

const MESSAGES = 200_000;

/** Sluice's Kafka source alone: fetched, unpacked, cut into batches, and dropped. Joining the group is part of it. */
export async function open(): Promise<Stage> {
  const broker = process.env['SLUICE_KAFKA']!;
  const topic = await fillTopic(broker, { ...USUAL_TOPIC, messages: MESSAGES });
  const config = sourceConfig.parse({ type: 'kafka', topics: [topic] }) as KafkaSourceConfig;
  return {
    count: MESSAGES,
    async run() {
      const source = createKafkaSource(config, {
        kafka: kafkaConfig.parse({ brokers: [broker] }),
        group: `bench-${randomUUID()}`,
      });
      let rows = 0;
      const handlers = {
        assigned: () => Promise.resolve(),
        batch: (batch: { readonly rows: number }) => {
          rows += batch.rows;
          return Promise.resolve();
        },
        revoked: () => Promise.resolve(),
        lost: () => undefined,
      };
      await source.run(handlers, { untilEnd: true });
      await source.close();
      if (rows !== MESSAGES) throw new Error(`expected ${MESSAGES} messages, got ${rows}`);
      return undefined;
    },
  };
}

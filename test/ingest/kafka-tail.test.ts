import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createTopic } from '../../scripts/services/topic.ts';
import { openKafkaTail } from '../../src/ingest/kafka-tail.ts';
import type { RawBatch } from '../../src/types.ts';
import { createKafkaFixture, kafkaOf } from './kafka-fixture.ts';

function valuesOf({ bytes, starts, ends, rows }: RawBatch): string[] {
  return Array.from({ length: rows }, (_, row) =>
    Buffer.from(bytes.subarray(starts[row], ends[row])).toString(),
  );
}

async function open(partitions: number) {
  const kafka = await createKafkaFixture({ partitions });
  const values: string[] = [];
  const problems: unknown[] = [];
  const tail = openKafkaTail({
    kafka: kafkaOf(),
    topic: kafka.topic,
    onBatch: (batch) => values.push(...valuesOf(batch)),
    onRetrying: (_operation, error) => problems.push(error),
    onFailed: (error) => problems.push(error),
  });
  onTestFinished(async () => {
    tail.close();
    await kafka.remove();
  });
  return { kafka, tail, values, problems };
}

describe('Kafka tail', () => {
  it('hands over everything that is written after its start, of all partitions, and nothing from before', async () => {
    const { kafka, tail, values, problems } = await open(3);
    for (const partition of [0, 1]) await kafka.produce(partition, ['before']);
    await tail.start();
    const wanted = [0, 1, 2].flatMap((partition) =>
      Array.from({ length: 50 }, (_, n) => `${partition}-${n}`),
    );
    for (const value of wanted) await kafka.produce(Number(value[0]), [value]);
    await vi.waitFor(() => expect(values).toHaveLength(wanted.length), 20_000);
    expect(values.toSorted()).toEqual(wanted.toSorted());
    expect(problems).toEqual([]);
  });

  it('goes on when the topic is made anew and its position is no more', async () => {
    const { kafka, tail, values } = await open(1);
    await kafka.produce(0, ['a', 'b', 'c']);
    await tail.start();
    await kafka.admin.deleteTopics({ topics: [kafka.topic] });
    const topics = [{ topic: kafka.topic, numPartitions: 1 }];
    // False as long as the old one is there.
    const made = () => kafka.admin.createTopics({ waitForLeaders: false, topics });
    await vi.waitFor(async () => expect(await made()).toBe(true), 30_000);
    await createTopic(kafka.admin, kafka.topic, 1);
    await vi.waitFor(
      async () => {
        await kafka.produce(0, ['again']);
        expect(values).toContain('again');
      },
      { timeout: 30_000, interval: 200 },
    );
    expect(new Set(values)).toEqual(new Set(['again']));
  });

  it('says nothing more once it is closed', async () => {
    const { kafka, tail, values, problems } = await open(1);
    await tail.start();
    tail.close();
    await kafka.produce(0, ['late']);
    expect([values, problems]).toEqual([[], []]);
  });
});

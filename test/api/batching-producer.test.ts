import { randomUUID } from 'node:crypto';
import type { KafkaMessage } from 'kafkajs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createBatchingProducer } from '../../src/api/batching-producer.ts';
import { RetryableError } from '../../src/errors.ts';
import { RecordTooLargeError } from '../../src/kafka-producer.ts';
import { createKafkaFixture, kafkaOf } from '../ingest/kafka-fixture.ts';
import { recordsOf } from '../ingest/kafka-records.ts';
import { createTopic } from '../../scripts/services/topic.ts';

function open(timeout = 20_000) {
  const failures: Error[] = [];
  const producer = createBatchingProducer({
    kafka: kafkaOf(),
    timeout,
    onFailure: (error) => failures.push(error),
  });
  onTestFinished(() => producer.close());
  return { producer, failures };
}

async function openTopic(partitions = 3, topicConfig = {}) {
  const kafka = await createKafkaFixture({ partitions, topicConfig });
  onTestFinished(() => kafka.remove());
  return kafka;
}

const record = (topic: string, key: string, value = key) => ({
  topic,
  key,
  value,
  headers: { customer: 'c' },
});

describe('batching producer', () => {
  it('writes what comes during one request in the next one, and knows where each record stands', async () => {
    const [one, two] = await Promise.all([openTopic(), openTopic()]);
    const { producer } = open();
    const calls = Array.from({ length: 500 }, (_, n) => [
      record(one.topic, `a${n}`),
      ...(n % 3 === 0 ? [record(two.topic, `b${n}`), record(two.topic, `b${n}`)] : []),
    ]);
    const positions = await Promise.all(calls.map((records) => producer.write(records)));
    for (const { topic } of [one, two]) {
      const expected = calls.flatMap((records, call) =>
        records.flatMap((each, index) =>
          each.topic === topic ? [`${positions[call]![index]!.offset} ${each.key}`] : [],
        ),
      );
      const records = (await recordsOf(topic, expected.length)) as (KafkaMessage & {
        batchContext: { firstOffset: string; maxTimestamp: string };
      })[];
      expect(records.map(({ offset, key }) => `${offset} ${String(key)}`).sort()).toEqual(expected.sort());
      // One request with what was there first, one with the rest: a record batch for each partition.
      const batches = new Set(
        records.map(({ batchContext: { firstOffset, maxTimestamp } }) => `${firstOffset} ${maxTimestamp}`),
      );
      expect(batches.size).toBeLessThanOrEqual(6);
    }
  });

  it('writes records of one key in the order of the calls', async () => {
    const { topic } = await openTopic();
    const { producer } = open();
    const values = Array.from({ length: 50 }, (_, n) => String(n));
    await Promise.all(values.map((value) => producer.write([record(topic, 'same', value)])));
    expect((await recordsOf(topic, 50)).map(({ value }) => String(value))).toEqual(values);
  });

  it('refuses only the record that is too large', async () => {
    const { topic } = await openTopic(1, { 'max.message.bytes': '10000' });
    const { producer, failures } = open();
    await producer.write([record(topic, 'first')]);
    const results = await Promise.allSettled([
      producer.write([record(topic, 'a', 'x'.repeat(4000))]),
      producer.write([record(topic, 'b', 'x'.repeat(4000))]),
      producer.write([record(topic, 'c', 'x'.repeat(20_000))]),
      producer.write([record(topic, 'd', 'x'.repeat(4000))]),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
    expect((results[2] as PromiseRejectedResult).reason).toBeInstanceOf(RecordTooLargeError);
    expect((await recordsOf(topic, 4)).map(({ key }) => String(key))).toEqual(['first', 'a', 'b', 'd']);
    expect(failures).toEqual([]);
  });

  it('gives up in time when there is no topic, and goes on when there is one', async () => {
    const topic = `test-${randomUUID().slice(0, 8)}`;
    const { producer, failures } = open(1500);
    await expect(producer.write([record(topic, 'a')])).rejects.toThrow(RetryableError);
    const { admin } = await openTopic();
    await createTopic(admin, topic, 1);
    onTestFinished(() => admin.deleteTopics({ topics: [topic] }));
    await expect
      .poll(() => producer.write([record(topic, 'b')]).catch((error: unknown) => String(error)), {
        timeout: 30_000,
      })
      .toMatchObject([{ topic, partition: 0 }]);
    expect(failures[0]).toBeInstanceOf(RetryableError);
  });

  it('gives up in time when nobody answers', async () => {
    const producer = createBatchingProducer({
      kafka: kafkaOf({ brokers: ['127.0.0.1:9'] }),
      timeout: 1000,
      onFailure: () => undefined,
    });
    const writes = ['a', 'b'].map((key) => producer.write([record('nowhere', key)]));
    for (const write of writes)
      await expect(write).rejects.toThrow(/did not answer within 1000 ms: .*127\.0\.0\.1:9/);
    await producer.close();
  });

  it('finishes what is under way when it is closed, and takes nothing more', async () => {
    const { topic } = await openTopic();
    const { producer } = open();
    const writes = ['a', 'b', 'c'].map((key) => producer.write([record(topic, key)]));
    await Promise.all([
      producer.close(),
      expect(producer.write([record(topic, 'late')])).rejects.toThrow(RetryableError),
    ]);
    expect((await Promise.all(writes)).flat()).toHaveLength(3);
    expect(await recordsOf(topic, 3)).toHaveLength(3);
  });
});

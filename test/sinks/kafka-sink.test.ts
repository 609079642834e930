import { randomUUID } from 'node:crypto';
import kafkajs, { type KafkaMessage } from 'kafkajs';
import pRetry from 'p-retry';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { createTopic } from '../../scripts/services/topic.ts';
import { decisionSchema } from '../../src/decision.ts';
import { MisconfiguredError, RetryableError } from '../../src/errors.ts';
import { kafkaClientOptions } from '../../src/kafka.ts';
import { createKafkaSink } from '../../src/sinks/kafka-sink.ts';
import { sinkContract } from '../contract/sink.ts';
import { kafkaOf } from '../ingest/kafka-fixture.ts';
import { recordsOf } from '../ingest/kafka-records.ts';
import { sampleDecision } from '../sample-decision.ts';
import { createTwoBrokers } from '../two-brokers.ts';

const client = () => new kafkajs.Kafka(kafkaClientOptions(kafkaOf()));
const admin = client().admin();
const topics: string[] = [];

beforeAll(() => admin.connect());
afterAll(async () => {
  await admin.deleteTopics({ topics });
  await admin.disconnect();
});

async function freshTopic(config: Record<string, string> = {}): Promise<string> {
  const topic = `decisions-${randomUUID().slice(0, 8)}`;
  await createTopic(admin, topic, 3, config);
  topics.push(topic);
  return topic;
}

/** Everything that a topic holds now. */
async function contentOf(topic: string): Promise<KafkaMessage[]> {
  // A new topic's leader may not know yet that it is.
  const offsets = await pRetry(() => admin.fetchTopicOffsets(topic), { minTimeout: 100 });
  const count = offsets.reduce((sum, { high, low }) => sum + Number(high) - Number(low), 0);
  return count === 0 ? [] : recordsOf(topic, count);
}

const sinkOf = (topic: string, kafka: object = {}) =>
  createKafkaSink({ topic, kafka: kafkaOf(kafka), at: 'sinks.decisions.topic' });
const signal = AbortSignal.timeout(60_000);

sinkContract('kafka', async () => {
  const topic = await freshTopic();
  const sink = sinkOf(topic);
  return {
    sink,
    again: () => Promise.resolve(sinkOf(topic)),
    unreachable: () => Promise.resolve(sinkOf(topic, { brokers: ['127.0.0.1:1'] })),
    received: async () => [
      ...new Set((await contentOf(topic)).map(({ headers }) => String(headers?.['id']))),
    ],
    close: () => sink.close(),
  };
});

describe('kafka sink', () => {
  it('writes records that its schema describes, keyed by customer, with headers to drop repeats by', async () => {
    const topic = await freshTopic();
    const sink = sinkOf(topic);
    const decision = sampleDecision(7);
    await sink.deliver([decision], signal);
    await sink.close();
    const [record] = await contentOf(topic);
    expect(decisionSchema.strict().parse(JSON.parse(String(record?.value)))).toEqual(decision);
    expect(String(record?.key)).toBe('acme');
    expect(Object.entries(record?.headers ?? {}).map(([name, value]) => [name, String(value)])).toEqual([
      ['id', 'content-0-7'],
      ['type', 'decision'],
      ['content-type', 'application/json'],
    ]);
  });

  it('refuses only those that the brokers find too large', async () => {
    const topic = await freshTopic({ 'max.message.bytes': '4096' });
    const sink = sinkOf(topic);
    const batch = [sampleDecision(1), sampleDecision(2, { text: 'x'.repeat(10_000) }), sampleDecision(3)];
    const refusals = await sink.deliver(batch, signal);
    expect(refusals).toEqual([
      { index: 1, code: 'too_large', detail: expect.stringContaining('max.message.bytes') },
    ]);
    const ids = (await contentOf(topic)).map(({ headers }) => String(headers?.['id']));
    expect(new Set(ids)).toEqual(new Set(['content-0-1', 'content-0-3']));
    await sink.close();
  });

  it('ends an attempt for which nobody waits, and writes nothing of it any more', async () => {
    const brokers = createTwoBrokers();
    onTestFinished(() => void vi.restoreAllMocks());
    const sink = sinkOf('decisions');
    const over = new AbortController();
    const customers = Array.from({ length: 10 }, (_, n) => `customer-${n}`);
    const batch = customers.map((customer, offset) => sampleDecision(offset, { customer }));
    const attempt = sink.deliver(batch, over.signal);
    await vi.waitFor(() => expect(brokers.pending()).toBe(1));
    over.abort();
    await expect(attempt).rejects.toThrow(RetryableError);
    const first = brokers.written[0].length;
    brokers.move();
    expect(await sink.deliver(batch, signal)).toEqual([]);
    expect(brokers.written[0]).toHaveLength(2 * first);
    expect(new Set(brokers.written.flat())).toEqual(new Set(customers));
    await sink.close();
  });

  it('names a topic that is not there', async () => {
    const sink = sinkOf('nowhere-to-be-found');
    await expect(sink.check()).rejects.toThrow(MisconfiguredError);
    await expect(sink.check()).rejects.toThrow('sinks.decisions.topic: expected a topic that exists');
    await sink.close();
  });
});

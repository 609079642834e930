import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { InputError } from '../../src/errors.ts';
import type { ExpiredRange } from '../../src/ingest/kafka-source-options.ts';
import type { CommittedPosition } from '../../src/ports.ts';
import { messagesOf, recordBatches } from '../contract/source.ts';
import { createKafkaFixture, type KafkaFixture } from './kafka-fixture.ts';

let kafka: KafkaFixture;
beforeEach(async () => {
  kafka = await createKafkaFixture({ partitions: 2 });
});
afterEach(() => kafka.remove());

const position = (partition: number, offset: number) => ({ topic: kafka.topic, partition, offset });
const values = (count: number) => Array.from({ length: count }, (_, at) => `${at}`);

/** Reads to the end in a new process. */
async function readAll(options: object = {}, config: object = {}) {
  const recording = recordBatches();
  const expired: ExpiredRange[] = [];
  const source = kafka.open(config, { onExpired: (range: ExpiredRange) => expired.push(range), ...options });
  await source.run(recording, { untilEnd: true });
  const [assignment] = recording.assignments;
  return {
    source,
    token: assignment!.token,
    expired,
    recording,
    partitions: assignment!.partitions.toSorted((a, b) => a.partition - b.partition),
    messages: messagesOf(recording.batches).map(([partition, offset]) => [partition, offset]),
  };
}

async function deleteBefore(partition: number, offset: number): Promise<void> {
  // kafkajs deletes only of topics that it has asked about.
  await kafka.admin.fetchTopicOffsets(kafka.topic);
  await kafka.admin.deleteTopicRecords({
    topic: kafka.topic,
    partitions: [{ partition, offset: String(offset) }],
  });
}

describe('what the brokers deleted', () => {
  it('unread messages: reading goes on behind them, and the gap is told', async () => {
    await kafka.produce(0, values(10));
    await kafka.produce(1, values(4));
    const before = await readAll();
    await before.source.commit(before.token, [position(0, 2), position(1, 1)], 'tx');
    await before.source.close();
    await deleteBefore(0, 7);
    await deleteBefore(1, 4);
    const after = await readAll();
    expect(after.expired.toSorted((a, b) => a.partition - b.partition)).toEqual([
      { topic: kafka.topic, partition: 0, from: 2, to: 7 },
      { topic: kafka.topic, partition: 1, from: 1, to: 4 },
    ]);
    expect(after.messages).toEqual([7, 8, 9].map((offset) => [0, offset]));
    expect(after.recording.batches[0]!.first).toBe(2);
    expect(await after.source.readable([position(0, 7), position(1, 4)])).toBe(true);
    expect(await after.source.readable([position(0, 6)])).toBe(false);
    expect(await after.source.readable([position(7, 0)])).toBe(false);
  });

  it('a log that ends before what was committed is another log', async () => {
    await kafka.produce(0, values(2));
    const before = await readAll();
    await before.source.commit(before.token, [position(0, 5)], 'tx');
    await before.source.close();
    const recording = recordBatches();
    const failure: unknown = await kafka
      .open()
      .run(recording, { untilEnd: false })
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(InputError);
    expect(String(failure)).toMatch(/-0: expected offset 5, got a log that ends before it: .*another `name`/);
  });
});

describe('positions of the group that have expired', () => {
  const ledger = (...known: CommittedPosition[]) => ({
    ledger: () => Promise.resolve(known.map((each) => ({ ...each, createdAt: Date.now() }))),
  });

  it('come from the ledger, are committed at once, and nothing is read twice', async () => {
    await kafka.produce(0, values(5));
    await kafka.produce(1, values(3));
    const known = { ...position(0, 4), transaction: 'newest' };
    const { partitions, messages, source, recording } = await readAll(ledger(known), { start: 'latest' });
    // The other partition is new in a group that is not: nothing of it may be skipped.
    expect(partitions).toEqual([known, { ...position(1, 0), transaction: '' }]);
    expect(messages.toSorted((a, b) => a[0]! - b[0]!)).toEqual([
      [0, 4],
      [1, 0],
      [1, 1],
      [1, 2],
    ]);
    expect([...recording.assignments[0]!.transactions]).toEqual(['newest']);
    await source.close();
    const again = await readAll();
    expect(again.partitions).toEqual([known, { ...position(1, 0), transaction: '' }]);
  });

  it('the ledger is not asked while the group knows', async () => {
    await kafka.produce(0, values(2));
    const before = await readAll();
    await before.source.commit(before.token, [position(0, 1), position(1, 0)], 'tx');
    await before.source.close();
    const { messages } = await readAll({ ledger: () => Promise.reject(new Error('asked')) });
    expect(messages).toEqual([[0, 1]]);
  });

  it('a start at the end is decided once', async () => {
    await kafka.produce(0, values(2));
    const before = await readAll({}, { start: 'latest' });
    expect(before.messages).toEqual([]);
    await before.source.close();
    await kafka.produce(0, values(2));
    expect((await readAll({}, { start: 'latest' })).messages).toEqual([
      [0, 2],
      [0, 3],
    ]);
  });
});

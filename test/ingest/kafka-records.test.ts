import kafkajs from 'kafkajs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTopic } from '../../scripts/services/topic.ts';
import { headersOf, keyOf } from '../../src/raw-batch.ts';
import { messagesOf, recordBatches } from '../contract/source.ts';
import { createKafkaFixture, type KafkaFixture } from './kafka-fixture.ts';

let kafka: KafkaFixture;
beforeEach(async () => {
  kafka = await createKafkaFixture();
});
afterEach(() => kafka.remove());

async function readAll(config: object = {}, options: object = {}) {
  const recording = recordBatches();
  const source = kafka.open(config, options);
  await source.run(recording, { untilEnd: true });
  const { batches } = recording;
  return {
    batches,
    source,
    recording,
    messages: messagesOf(batches).map(([, offset, value]) => [offset, value]),
  };
}

describe('messages of Kafka', () => {
  it('in all codecs, in batches of every size', async () => {
    const { None, GZIP, Snappy, LZ4, ZSTD } = kafkajs.CompressionTypes;
    const values: string[] = [];
    for (const [at, codec] of [None, GZIP, Snappy, LZ4, ZSTD].entries()) {
      for (const count of [1, 3, 1500]) {
        const part = Array.from({ length: count }, (_, n) => `${at}-${n}-${'é'.repeat((n * 7) % 90)}`);
        values.push(...part);
        await kafka.produce(0, part, codec);
      }
    }
    const { messages, batches } = await readAll({ batch_messages: 100, batch_bytes: '4KiB' });
    expect(messages).toEqual(values.map((value, offset) => [offset, value]));
    for (const { rows, bytes } of batches) {
      expect(rows).toBeLessThanOrEqual(100);
      expect(bytes.length).toBeLessThanOrEqual(4096);
    }
  });

  it('keys, headers, time stamps, tombstones and empty values', async () => {
    const time = Date.UTC(2026, 2, 1);
    await kafka.produce(0, [
      { value: 'a', timestamp: String(time) },
      { value: null, key: 'k', timestamp: String(time + 5) },
      {
        value: '',
        key: '',
        headers: { trace: 'é', twice: ['1', '2'], none: '' },
        timestamp: String(time - 5),
      },
    ]);
    const { batches } = await readAll();
    expect(batches).toHaveLength(1);
    const [batch] = batches;
    expect([...batch!.timestamps]).toEqual([time, time + 5, time - 5]);
    expect([...batch!.nulls!]).toEqual([0, 1, 0]);
    expect([...batch!.ends].map((end, row) => end - batch!.starts[row]!)).toEqual([1, 0, 0]);
    const text = (bytes: Uint8Array | null | undefined) => bytes && Buffer.from(bytes).toString();
    const rows = [0, 1, 2];
    expect(rows.map((row) => text(keyOf(batch!, row)))).toEqual([null, 'k', '']);
    const headers = rows.map((row) =>
      Object.fromEntries(Object.entries(headersOf(batch!, row)!).map(([name, value]) => [name, text(value)])),
    );
    expect(headers).toEqual([{}, {}, { trace: 'é', twice: '2', none: '' }]);
  });

  it('a message above every limit travels alone', async () => {
    const large = 'x'.repeat(900_000);
    await kafka.produce(0, ['small', large, 'after']);
    const { batches } = await readAll({
      batch_bytes: '10kB',
      max_bytes_per_partition: '1kB',
      max_bytes: '1kB',
    });
    expect(batches.map(({ rows, bytes }) => [rows, bytes.length])).toEqual([
      [1, 5],
      [1, 900_000],
      [1, 5],
    ]);
  });

  it('nothing of transactions that are open or aborted; their records and the markers are absent offsets', async () => {
    const producer = kafka.transactional();
    await producer.connect();
    const send = async (values: readonly string[], end: 'commit' | 'abort') => {
      const transaction = await producer.transaction();
      await transaction.send({
        topic: kafka.topic,
        messages: values.map((value) => ({ value, partition: 0 })),
      });
      await transaction[end]();
    };
    await kafka.produce(0, ['plain']);
    await send(['a1', 'a2'], 'abort');
    await send(['b1', 'b2'], 'commit');
    await send(['c1'], 'abort');
    await kafka.produce(0, ['last']);
    await send(['d1'], 'commit');
    await producer.disconnect();

    const { messages, batches, source } = await readAll({ batch_messages: 2 });
    expect(messages.map(([, value]) => value)).toEqual(['plain', 'b1', 'b2', 'last', 'd1']);
    expect(batches[0]!.first).toBe(0);
    for (const [at, { first }] of batches.entries()) if (at > 0) expect(first).toBe(batches[at - 1]!.next);
    // Three records were aborted, and each of the four transactions has a marker.
    expect(source.lag()).toEqual([{ topic: kafka.topic, partition: 0, position: 12, committed: 0, end: 12 }]);
  });

  it('what control records alone make up joins the next batch', async () => {
    const producer = kafka.transactional();
    await producer.connect();
    for (let count = 0; count < 3; count++) {
      const transaction = await producer.transaction();
      await transaction.send({ topic: kafka.topic, messages: [{ value: 'x', partition: 0 }] });
      await transaction.abort();
    }
    await producer.disconnect();
    expect((await readAll()).batches).toEqual([]);
    await kafka.produce(0, ['y']);
    const { batches } = await readAll({ max_bytes_per_partition: '1B', max_bytes: '1B' });
    expect(batches.map(({ first, next, rows }) => [first, next, rows])).toEqual([[0, 7, 1]]);
  });

  it('from a time, from the end, and only until given positions', async () => {
    const time = Date.UTC(2026, 2, 1);
    const at = (value: string, seconds: number) => ({ value, timestamp: String(time + seconds * 1000) });
    await kafka.produce(0, [at('a', 0), at('b', 10), at('c', 20), at('d', 30)]);
    const values = async (start: string, options = {}) => {
      const group = `${kafka.group}-${Math.random()}`;
      const { messages } = await readAll({ start }, { group, ...options });
      return messages.map(([, value]) => value);
    };
    expect(await values('earliest')).toEqual(['a', 'b', 'c', 'd']);
    expect(await values('latest')).toEqual([]);
    expect(await values('2026-03-01T00:00:10Z')).toEqual(['b', 'c', 'd']);
    expect(await values('2026-03-01T01:00:11+01:00')).toEqual(['c', 'd']);
    expect(await values('2027-01-01T00:00:00Z')).toEqual([]);
    const until = [{ topic: kafka.topic, partition: 0, offset: 3 }];
    expect(await values('2026-03-01T00:00:10Z', { until })).toEqual(['b', 'c']);
    expect(await values('earliest', { until: [] })).toEqual([]);
  });

  it('of topics that match a pattern, also those that come later, and of partitions that are added', async () => {
    const pattern = `^${kafka.topic}(-more)?$`;
    const source = kafka.open({ topics: undefined, pattern });
    await kafka.produce(0, ['first']);
    const expected = new Map<number, () => Promise<unknown>>([
      [1, () => addTopic()],
      [2, () => kafka.admin.createPartitions({ topicPartitions: [{ topic: kafka.topic, count: 2 }] })],
    ]);
    const addTopic = () => createTopic(kafka.admin, `${kafka.topic}-more`, 1);
    const recording = recordBatches(async ({ next, topic, partition }, token) => {
      await source.commit(token, [{ topic, partition, offset: next }], 'tx');
      // Reading must not be what it waits for.
      const step = expected.get(recording.batches.length);
      setImmediate(() => {
        const added = async () => {
          await step?.();
          if (recording.batches.length === 1) {
            await kafka.producer.send({ topic: `${kafka.topic}-more`, messages: [{ value: 'second' }] });
          } else if (recording.batches.length === 2) await kafka.produce(1, ['third']);
          else source.stop();
        };
        added().catch((error: unknown) => recording.events.push(String(error)));
      });
    });
    await source.run(recording, { untilEnd: false });
    await source.close();
    await kafka.admin.deleteTopics({ topics: [`${kafka.topic}-more`] });
    expect(messagesOf(recording.batches).map(([partition, , value]) => [partition, value])).toEqual([
      [0, 'first'],
      [0, 'second'],
      [1, 'third'],
    ]);
    expect(
      recording.events.filter((event) => !/^(assigned|recovered|batch|revoked \d+)$/.test(event)),
    ).toEqual([]);
  });
});

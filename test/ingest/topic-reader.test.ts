import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MisconfiguredError } from '../../src/errors.ts';
import { readTopic, type TopicReaderOptions } from '../../src/ingest/topic-reader.ts';
import { createKafkaFixture, kafkaOf, type KafkaFixture } from './kafka-fixture.ts';

const EACH = 3000;

describe('reading a topic once', () => {
  let kafka: KafkaFixture;
  beforeAll(async () => {
    kafka = await createKafkaFixture({ partitions: 3 });
    for (const partition of [0, 1])
      await kafka.produce(
        partition,
        Array.from({ length: EACH }, (_, n) => `${partition}-${n}`),
      );
  });
  afterAll(() => kafka.remove());

  const read = (options: Partial<TopicReaderOptions>) =>
    readTopic({
      kafka: kafkaOf(),
      topic: kafka.topic,
      onBatch: () => Promise.resolve(),
      signal: new AbortController().signal,
      ...options,
    });

  it('hands over all of it up to its end, each partition in order', async () => {
    const seen: string[][] = [[], [], []];
    const progress: number[] = [];
    await read({
      async onBatch(batch) {
        for (let row = 0; row < batch.rows; row++)
          seen[batch.partition]!.push(
            Buffer.from(batch.bytes.slice(batch.starts[row], batch.ends[row])).toString(),
          );
        // What comes meanwhile is behind the end.
        if (seen[0]!.length <= 1024) await kafka.produce(0, ['late']);
      },
      onProgress: (done, total) => progress.push(done / total),
    });
    for (const partition of [0, 1])
      expect(seen[partition]).toEqual(Array.from({ length: EACH }, (_, n) => `${partition}-${n}`));
    expect(seen[2]).toEqual([]);
    expect(progress.at(-1)).toBe(1);
    expect(progress).toEqual(progress.toSorted((a, b) => a - b));
  });

  it('ends when it is told to, and when nobody can take what it reads', async () => {
    const enough = new AbortController();
    let batches = 0;
    await read({
      signal: enough.signal,
      onBatch() {
        batches++;
        enough.abort();
        return Promise.resolve();
      },
    });
    expect(batches).toBeGreaterThan(0);
    expect(batches).toBeLessThan(4);
    const full = () => Promise.reject(new Error('full'));
    await expect(read({ onBatch: full })).rejects.toThrow('full');
  });

  it('comes to its end behind records that nobody sees, and on a topic with none', async () => {
    const aborted = await createKafkaFixture();
    await read({ topic: aborted.topic });
    const producer = aborted.transactional();
    await producer.connect();
    for (const ends of ['commit', 'abort'] as const) {
      const transaction = await producer.transaction();
      await transaction.send({ topic: aborted.topic, messages: [{ value: ends, partition: 0 }] });
      await transaction[ends]();
    }
    await producer.disconnect();
    const seen: string[] = [];
    await read({
      topic: aborted.topic,
      onBatch: (batch) =>
        Promise.resolve(void seen.push(...(batch.rows > 0 ? [Buffer.from(batch.bytes).toString()] : []))),
    });
    expect(seen).toEqual(['commit']);
    await aborted.remove();
  });

  it('says that it may not', async () => {
    const sasl = { mechanism: 'plain', username: 'x', password: 'y' };
    await expect(read({ kafka: kafkaOf({ sasl }) })).rejects.toThrow(MisconfiguredError);
  });
});

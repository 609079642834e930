import { afterAll, describe, expect, it } from 'vitest';
import { classifyWithRetry, createPool } from '../../src/classify/index.ts';
import { AbandonedError, UnavailableError } from '../../src/errors.ts';
import type { RawBatch, ScoredBatch } from '../../src/types.ts';
import { rawBatch } from './fixtures/raw-batch.ts';

const pool = createPool({
  filename: new URL('./fixtures/worker.ts', import.meta.url),
  workers: 2,
  timeLimit: 60_000,
});
afterAll(() => pool.close());

const deaths: { rows: number; attempt: number; error: string }[] = [];
const classify = (batch: RawBatch) => {
  deaths.length = 0;
  return classifyWithRetry((part, buffers) => pool.run<ScoredBatch>('classify', part, buffers), batch, {
    onWorkerDied: (fields) => deaths.push(fields),
  });
};

describe('classifyWithRetry', () => {
  it('gives the one answer of a good batch', async () => {
    const [answer, ...rest] = await classify(rawBatch(['a', 'b', 'c']));
    expect(rest).toEqual([]);
    expect(answer).toMatchObject({ rows: 3, first: 100, next: 106 });
    expect(deaths).toEqual([]);
  });

  it('dead-letters exactly the messages that kill their worker', async () => {
    const texts = ['a', 'b', 'X1', 'c', 'd', 'X2', 'e'];
    const batch = rawBatch(texts);
    const parts = await classify(batch);
    const letters = parts.flatMap(({ deadLetters }) => deadLetters);
    expect(letters.map(({ offset }) => offset)).toEqual([104, 110]);
    expect(letters[0]).toMatchObject({
      topic: 't',
      partition: 3,
      stage: 'classify',
      code: 'worker_died',
      receivedAt: 5,
      timestamp: 1002,
    });
    expect(Buffer.from(letters[0]!.bytes).toString()).toBe('X1');
    expect(Buffer.from(letters[0]!.key!).toString()).toBe('key 2');
    expect(letters[0]!.detail).toBe(
      'expected a verdict, got a dead worker each time: classify: worker exited with code: 1',
    );
    expect(parts.reduce((rows, part) => rows + part.rows + part.deadLetters.length, 0)).toBe(texts.length);
    expect(parts[0]!.first).toBe(100);
    parts.slice(1).forEach((part, i) => expect(part.first).toBe(parts[i]!.next));
    expect(parts.at(-1)!.next).toBe(batch.next);
    expect(deaths.slice(0, 3)).toMatchObject([
      { rows: 7, attempt: 1 },
      { rows: 7, attempt: 2 },
      { rows: 3, attempt: 1 },
    ]);
  });

  it('gives up a single message after its second death', async () => {
    const [part] = await classify(rawBatch(['X']));
    expect(part!.deadLetters).toHaveLength(1);
    expect(part).toMatchObject({ rows: 0, first: 100, next: 102 });
    expect(deaths).toHaveLength(2);
  });

  it('passes a bug on at once', async () => {
    await expect(classify(rawBatch(['a', 'E']))).rejects.toThrow('a bug');
    expect(deaths).toEqual([]);
  });

  it('waits while a server is away, and then classifies the batch from the start', async () => {
    const waits: { rows: number; error: string }[] = [];
    let away = 2;
    const [answer, ...rest] = await classifyWithRetry(
      (part, buffers) =>
        away-- > 0
          ? Promise.reject(new UnavailableError('http://tei: no answer'))
          : pool.run<ScoredBatch>('classify', part, buffers),
      rawBatch(['a', 'b', 'c']),
      { onUnavailable: (fields) => waits.push(fields) },
    );
    expect(rest).toEqual([]);
    expect(answer).toMatchObject({ rows: 3, first: 100, next: 106, deadLetters: [] });
    expect(waits).toEqual(Array.from({ length: 2 }, () => ({ rows: 3, error: 'http://tei: no answer' })));
  });

  it('ends the waiting when it is told to, with the reason', async () => {
    const told = new AbortController();
    const reason = new AbandonedError('stopped');
    const work = classifyWithRetry(
      () => {
        told.abort(reason);
        return Promise.reject(new UnavailableError('away'));
      },
      rawBatch(['a']),
      { signal: told.signal },
    );
    await expect(work).rejects.toBe(reason);
  });
});

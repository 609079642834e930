import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Decision } from '../../src/decision.ts';
import {
  AbandonedError,
  MisconfiguredError,
  RetryableError,
  TooManyDeadLettersError,
} from '../../src/errors.ts';
import { createFanOut, type Branch, type Delivered } from '../../src/sinks/fan-out.ts';
import type { Refusal, Sink } from '../../src/sinks/sink.ts';
import { sampleDecision } from '../sample-decision.ts';

/** A sink that keeps what it is told; `attempt` may fail before it does. */
function memorySink(
  attempt: (count: number, signal: AbortSignal) => Promise<Refusal[]> | Refusal[] = () => [],
) {
  const told: Decision[] = [];
  let attempts = 0;
  const sink: Sink = {
    description: 'memory',
    check: () => Promise.resolve(),
    async deliver(decisions, signal) {
      const refusals = await attempt(++attempts, signal);
      told.push(...decisions);
      return refusals;
    },
    close: () => Promise.resolve(),
  };
  return { sink, told, attempts: () => attempts };
}

const branch = (name: string, sink: Sink, instead: Partial<Branch> = {}): Branch => ({
  name,
  sink,
  filters: [{ actions: ['review', 'block'] }],
  text: false,
  ...instead,
});
const ids = (decisions: readonly Decision[]) => decisions.map(({ id }) => id);

describe('fan-out', () => {
  it('tells each sink what it wants, in order, and the text only where it is wanted', async () => {
    const all = memorySink();
    const spam = memorySink();
    const fanOut = createFanOut({
      branches: [
        branch('all', all.sink, { filters: [{ actions: ['allow', 'review', 'block'] }], text: true }),
        branch('spam', spam.sink, { filters: [{ actions: ['block'], labels: ['spam'] }] }),
      ],
      timeout: 1000,
    });
    const spammy = { reasons: [{ label: 'spam', score: 0.9, threshold: 0.8 }], text: 'buy' };
    const batch = [
      sampleDecision(1, { action: 'allow', reasons: [], text: 'hello' }),
      sampleDecision(2, spammy),
      sampleDecision(3, { action: 'review', ...spammy }),
      sampleDecision(4, { text: 'insult' }),
    ];
    expect(await fanOut.deliver(batch)).toEqual([]);
    expect(all.told).toEqual(batch);
    expect(ids(spam.told)).toEqual(['content-0-2']);
    expect(spam.told[0]).not.toHaveProperty('text');
  });

  it('does not call a sink for which there is nothing', async () => {
    const none = memorySink();
    const fanOut = createFanOut({
      branches: [branch('none', none.sink, { filters: [{ actions: ['block'], customers: ['other'] }] })],
      timeout: 1000,
    });
    await fanOut.deliver([sampleDecision(1)]);
    expect(none.attempts()).toBe(0);
  });

  it('asks a sink again for as long as nobody answers, and the others only once', async () => {
    const flaky = memorySink((count) => {
      if (count < 4) throw new RetryableError(`attempt ${count}`);
      return [];
    });
    const steady = memorySink();
    const retries: unknown[] = [];
    const delivered: Delivered[] = [];
    const fanOut = createFanOut({
      branches: [branch('flaky', flaky.sink), branch('steady', steady.sink)],
      timeout: 1000,
      backoff: 1,
      onRetry: (retry) => retries.push(retry),
      onDelivered: (each) => delivered.push(each),
    });
    await fanOut.deliver([sampleDecision(1)]);
    expect(ids(flaky.told)).toEqual(['content-0-1']);
    expect(steady.attempts()).toBe(1);
    expect(retries).toEqual(
      [1, 2, 3].map((attempt) => ({ sink: 'flaky', attempt, error: `attempt ${attempt}` })),
    );
    expect(delivered.map(({ sink, decisions, refused }) => ({ sink, decisions, refused }))).toEqual([
      { sink: 'steady', decisions: 1, refused: 0 },
      { sink: 'flaky', decisions: 1, refused: 0 },
    ]);
  });

  it('ends an attempt that takes too long, and begins another when it has settled', async () => {
    const running: number[] = [];
    let now = 0;
    const hanging = memorySink(async (count, signal) => {
      running.push(++now);
      if (count === 1) await once(signal, 'abort');
      now--;
      if (count === 1) throw new RetryableError('aborted');
      return [];
    });
    const fanOut = createFanOut({ branches: [branch('hanging', hanging.sink)], timeout: 20, backoff: 1 });
    await fanOut.deliver([sampleDecision(1)]);
    expect(running).toEqual([1, 1]);
  });

  it('takes the answer of an attempt that was late', async () => {
    const late = memorySink(async (_count, signal) => {
      await once(signal, 'abort');
      return [];
    });
    const fanOut = createFanOut({ branches: [branch('late', late.sink)], timeout: 20, backoff: 1 });
    await fanOut.deliver([sampleDecision(1)]);
    expect(late.attempts()).toBe(1);
  });

  it('does not wait for ever for an attempt that never settles', async () => {
    const stuck = memorySink(async (count) => {
      if (count === 1) await delay(60_000, undefined, { ref: false });
      return [];
    });
    const fanOut = createFanOut({ branches: [branch('stuck', stuck.sink)], timeout: 20, backoff: 1 });
    await fanOut.deliver([sampleDecision(1)]);
    expect(stuck.attempts()).toBe(2);
  });

  it('gives back what a sink refused, with the decision and the name of the sink', async () => {
    const picky = memorySink(() => [{ index: 0, code: 'too_large', detail: 'expected less' }]);
    const fanOut = createFanOut({
      branches: [branch('picky', picky.sink, { filters: [{ actions: ['block'] }] })],
      timeout: 1000,
    });
    const blocked = sampleDecision(2);
    expect(await fanOut.deliver([sampleDecision(1, { action: 'review' }), blocked])).toEqual([
      { sink: 'picky', decision: blocked, code: 'too_large', detail: 'expected less' },
    ]);
  });

  it('throws what someone must mend', async () => {
    const broken = memorySink(() => {
      throw new MisconfiguredError('expected a table');
    });
    const fanOut = createFanOut({ branches: [branch('broken', broken.sink)], timeout: 1000 });
    await expect(fanOut.deliver([sampleDecision(1)])).rejects.toThrow('expected a table');
    expect(broken.attempts()).toBe(1);
  });

  it('blames a sink for no time-out that it did not have when it is abandoned', async () => {
    const hanging = memorySink(async () => {
      await delay(60_000, undefined, { ref: false });
      return [];
    });
    const retries: unknown[] = [];
    const fanOut = createFanOut({
      branches: [branch('hanging', hanging.sink)],
      timeout: 30_000,
      onRetry: (retry) => retries.push(retry),
    });
    const told = fanOut.deliver([sampleDecision(1)]).catch((reason: unknown) => reason);
    await delay(10);
    fanOut.abandon();
    const error = await told;
    expect(error).toBeInstanceOf(AbandonedError);
    expect(String(error)).not.toContain('expected an answer within');
    expect(retries).toEqual([]);
  });

  it('ends what waits for another sink when one fails for good', async () => {
    const away = memorySink(() => {
      throw new RetryableError('nobody answers');
    });
    const broken = memorySink((count) => {
      if (count === 1) throw new RetryableError('soon');
      throw new MisconfiguredError('expected a table');
    });
    const fanOut = createFanOut({
      branches: [branch('away', away.sink), branch('broken', broken.sink)],
      timeout: 1000,
      backoff: 1,
    });
    await expect(fanOut.deliver([sampleDecision(1)])).rejects.toThrow('expected a table');
    const attempts = away.attempts();
    await delay(50);
    expect(away.attempts()).toBe(attempts);
  });

  it('stops when a sink refuses everything, but not for one receiver among several', async () => {
    const refusal = { index: 0, code: 'rejected', detail: 'expected a number' };
    let isOneReceivers = true;
    const refusing = memorySink(() => [isOneReceivers ? { ...refusal, isOneReceivers } : refusal]);
    const fanOut = createFanOut({
      branches: [branch('refusing', refusing.sink)],
      timeout: 1000,
      maxRefusals: 3,
    });
    const one = () => fanOut.deliver([sampleDecision(1)]);
    for (let i = 0; i < 5; i++) expect(await one()).toHaveLength(1);
    isOneReceivers = false;
    await one();
    await one();
    const taken = fanOut.deliver([sampleDecision(1), sampleDecision(2)]);
    expect(await taken).toHaveLength(1);
    await one();
    await one();
    const error: unknown = await one().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(TooManyDeadLettersError);
    expect(String(error)).toContain('sink refusing: expected fewer than 3 refusals in a row, got 3');
    expect(String(error)).toContain('expected a number');
  });

  it('gives up when it is abandoned, with the last reason', async () => {
    const away = memorySink(() => {
      throw new RetryableError('nobody answers');
    });
    const fanOut = createFanOut({
      branches: [branch('away', away.sink)],
      timeout: 1000,
      backoff: 1,
      onRetry: ({ attempt }) => {
        if (attempt === 3) fanOut.abandon();
      },
    });
    const error: unknown = await fanOut.deliver([sampleDecision(1)]).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(AbandonedError);
    expect(String(error)).toMatch(/sink away does not answer.*next run: nobody answers/);
    await expect(fanOut.deliver([sampleDecision(2)])).rejects.toThrow(AbandonedError);
  });
});

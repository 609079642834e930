import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Decision } from '../../src/decision.ts';
import { MisconfiguredError, RetryableError, StoreError } from '../../src/errors.ts';
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

  it('ends an attempt that takes too long, and begins another', async () => {
    const aborted: boolean[] = [];
    const hanging = memorySink(async (count, signal) => {
      if (count > 1) return [];
      signal.addEventListener('abort', () => aborted.push(true));
      await delay(60_000, undefined, { ref: false });
      return [];
    });
    const fanOut = createFanOut({ branches: [branch('hanging', hanging.sink)], timeout: 20, backoff: 1 });
    await fanOut.deliver([sampleDecision(1)]);
    expect(hanging.attempts()).toBe(2);
    expect(aborted).toEqual([true]);
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
    expect(error).toBeInstanceOf(StoreError);
    expect(String(error)).toContain('sink away: gave up: nobody answers');
    await expect(fanOut.deliver([sampleDecision(2)])).rejects.toThrow(StoreError);
  });
});

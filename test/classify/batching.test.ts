import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planBatches, type Batch } from '../../src/classify/batching.ts';

/** Padded tokens of a plan: what the model computes. */
function paddedTokens(batches: readonly Batch[]): number {
  return batches.reduce((sum, batch) => sum + batch.longest * batch.rows.length, 0);
}

const lengths = fc.array(fc.integer({ min: 0, max: 60 }), { maxLength: 200 });
const options = fc.record({
  budget: fc.integer({ min: 1, max: 400 }),
  window: fc.integer({ min: 1, max: 90 }),
});

describe('planBatches', () => {
  it('puts every text that has tokens into exactly one batch', () => {
    fc.assert(
      fc.property(lengths, options, (given, opts) => {
        const rows = planBatches(given, opts).flatMap((batch) => [...batch.rows]);
        const expected = given.flatMap((length, row) => (length > 0 ? [row] : []));
        expect(rows.toSorted((a, b) => a - b)).toEqual(expected);
      }),
    );
  });

  it('keeps the token budget, but for a text that is alone over it', () => {
    fc.assert(
      fc.property(lengths, options, (given, opts) => {
        for (const { rows, longest } of planBatches(given, opts)) {
          expect(Math.max(...[...rows].map((row) => given[row]!))).toBe(longest);
          if (rows.length > 1) expect(longest * rows.length).toBeLessThanOrEqual(opts.budget);
        }
      }),
    );
  });

  it('never mixes windows', () => {
    fc.assert(
      fc.property(lengths, options, (given, opts) => {
        for (const { rows } of planBatches(given, opts)) {
          expect(new Set([...rows].map((row) => Math.floor(row / opts.window))).size).toBe(1);
        }
      }),
    );
  });

  it('computes no more than any other way to cut the sorted window', () => {
    const RUN_COST = 16;
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 9 }),
        fc.integer({ min: 1, max: 120 }),
        (given, budget) => {
          const sorted = given.toSorted((a, b) => a - b);
          let least = Infinity;
          for (let cuts = 0; cuts < 2 ** (sorted.length - 1); cuts++) {
            let [cost, start, fits] = [0, 0, true];
            for (let end = 1; end <= sorted.length; end++) {
              if (end < sorted.length && !((cuts >> (end - 1)) & 1)) continue;
              const padded = (end - start) * sorted[end - 1]!;
              if (end - start > 1 && padded > budget) fits = false;
              cost += padded + RUN_COST;
              start = end;
            }
            if (fits) least = Math.min(least, cost);
          }
          const batches = planBatches(given, { budget, window: 1000 });
          expect(paddedTokens(batches) + batches.length * RUN_COST).toBe(least);
        },
      ),
    );
  });

  it('pads far less than batches in order of arrival', () => {
    const given = Array.from({ length: 1024 }, (_, i) => 4 + ((i * 7919) % 97) ** 2 / 90);
    const whole = given.map(Math.round);
    const tokens = whole.reduce((a, b) => a + b, 0);
    const arrival = Array.from({ length: 32 }, (_, i) => 32 * Math.max(...whole.slice(i * 32, i * 32 + 32)));
    const padded = paddedTokens(planBatches(whole, { budget: 1024, window: 1024 }));
    expect(padded).toBeLessThan(1.1 * tokens);
    expect(padded).toBeLessThan(arrival.reduce((a, b) => a + b, 0) / 2);
  });
});

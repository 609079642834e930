import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rank } from '../../src/evaluate/ranking.ts';
import { shortestBetween, thresholdTable } from '../../src/evaluate/threshold-table.ts';

const ranked = (scores: readonly number[], truth: readonly number[]) =>
  rank(scores.keys(), Float32Array.from(scores), Float32Array.from(truth));

describe('suggested thresholds', () => {
  it('reach what they are for, and flag what they say', () => {
    const list = fc.array(fc.tuple(fc.float({ min: 0, max: 1, noNaN: true }), fc.boolean()), {
      minLength: 1,
      maxLength: 60,
    });
    fc.assert(
      fc.property(list, (pairs) => {
        const scores = Float32Array.from(pairs, ([score]) => score);
        const table = thresholdTable(
          ranked(
            [...scores],
            pairs.map(([, positive]) => Number(positive)),
          ),
        );
        const positives = pairs.filter(([, positive]) => positive).length;
        expect(table.length === 0).toBe(positives === 0);
        for (const { goal, target, threshold, precision, recall, flagged } of table) {
          if (threshold === null) {
            expect(goal).toBe('precision');
            continue;
          }
          const above = pairs.filter((_, i) => scores[i]! >= threshold);
          const hits = above.filter(([, positive]) => positive).length;
          expect(flagged).toBeCloseTo(above.length / pairs.length, 10);
          expect(precision).toBeCloseTo(hits / above.length, 10);
          expect(recall).toBeCloseTo(hits / positives, 10);
          if (goal === 'precision') expect(precision).toBeGreaterThanOrEqual(target!);
          if (goal === 'recall') expect(recall).toBeGreaterThanOrEqual(target!);
        }
      }),
    );
  });

  it('are the lowest with a precision, the highest with a recall, and the best F1', () => {
    const table = thresholdTable(ranked([0.9, 0.8, 0.7, 0.6, 0.5], [1, 1, 0, 1, 0]));
    const at = (goal: string, target: number | null) =>
      table.find((row) => row.goal === goal && row.target === target)?.threshold;
    expect(at('precision', 0.9)).toBe(0.8);
    expect(at('precision', 0.7)).toBe(0.6);
    expect(at('recall', 0.5)).toBe(0.8);
    expect(at('recall', 0.95)).toBe(0.6);
    expect(at('f1', null)).toBe(0.6);
  });

  it('are short decimals between two scores', () => {
    expect(shortestBetween(0.4213, 0.4287)).toBe(0.428);
    expect(shortestBetween(0, 1)).toBe(1);
    expect(shortestBetween(0.1, 0.35)).toBe(0.3);
    // Neighbours of 32 bits: 0.5000002 is between them, and nearer to the lower one, whose rows it would flag as well.
    const [below, above] = [0.5 + 3 * 2 ** -24, 0.5 + 4 * 2 ** -24];
    expect(Math.fround(shortestBetween(below, above))).toBe(above);
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (a, b) => {
          fc.pre(a !== b);
          const [low, high] = a < b ? [a, b] : [b, a];
          const threshold = shortestBetween(low, high);
          expect(threshold > low && threshold <= high).toBe(true);
        },
      ),
    );
  });
});

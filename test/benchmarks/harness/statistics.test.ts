import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { median, quantile, spreadOf } from '../../../benchmarks/harness/statistics.ts';

const numbers = fc.array(fc.double({ noNaN: true, min: -1e6, max: 1e6 }), { minLength: 1, maxLength: 30 });

describe('statistics', () => {
  it('knows the middle of odd and even numbers of values', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(median([])).toBeNaN();
  });

  it('leaves half of the values on each side of the median, whatever their order', () => {
    fc.assert(
      fc.property(numbers, (values) => {
        const middle = median(values);
        expect(values.filter((value) => value < middle).length).toBeLessThanOrEqual(values.length / 2);
        expect(values.filter((value) => value > middle).length).toBeLessThanOrEqual(values.length / 2);
        expect(median(values.toReversed())).toBe(middle);
      }),
    );
  });

  it('takes quantiles by nearest rank', () => {
    const values = Array.from({ length: 100 }, (_, at) => 100 - at);
    expect([0, 0.5, 0.99, 1].map((share) => quantile(values, share))).toEqual([1, 50, 99, 100]);
    expect(quantile([], 0.5)).toBeNaN();
  });

  it('spreads from the least to the most', () => {
    fc.assert(
      fc.property(numbers, (values) => {
        const { least, median: middle, most } = spreadOf(values)!;
        expect(least).toBeLessThanOrEqual(middle);
        expect(middle).toBeLessThanOrEqual(most);
        expect(values).toContain(least);
        expect(values).toContain(most);
      }),
    );
    expect(spreadOf([])).toBeUndefined();
  });
});

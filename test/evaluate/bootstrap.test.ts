import { describe, expect, it } from 'vitest';
import { estimate, quantile, resample, seededRandom } from '../../src/evaluate/bootstrap.ts';

describe('bootstrap', () => {
  it('draws as many rows as there are, the same with the same seed', () => {
    const drawn = (seed: number) => {
      const all: number[][] = [];
      resample(20, { resamples: 5, seed }, (weights) => all.push([...weights]));
      return all;
    };
    expect(drawn(1)).toEqual(drawn(1));
    expect(drawn(1)).not.toEqual(drawn(2));
    for (const weights of drawn(1)) expect(weights.reduce((sum, weight) => sum + weight, 0)).toBe(20);
    expect(new Set(drawn(1).map(String)).size).toBe(5);
  });

  it('draws evenly', () => {
    const random = seededRandom(42);
    const tenths = Array.from({ length: 10 }, () => 0);
    for (let i = 0; i < 100_000; i++) tenths[Math.floor(random() * 10)]!++;
    for (const count of tenths) expect(Math.abs(count - 10_000)).toBeLessThan(400);
  });

  it('covers the true mean about 95 times in 100', () => {
    const random = seededRandom(3);
    let covered = 0;
    for (let round = 0; round < 200; round++) {
      const sample = Array.from({ length: 100 }, random);
      const mean = (weights?: Uint32Array) =>
        sample.reduce((sum, value, i) => sum + value * (weights?.[i] ?? 1), 0) / sample.length;
      const means: number[] = [];
      resample(sample.length, { resamples: 200, seed: round }, (weights) => means.push(mean(weights)));
      const { low, high } = estimate(mean(), means);
      if (low <= 0.5 && high >= 0.5) covered++;
    }
    expect(covered).toBeGreaterThanOrEqual(180);
    expect(covered).toBeLessThanOrEqual(199);
  });

  it('says nothing where no resample does', () => {
    expect(estimate(0.5, [NaN, NaN])).toEqual({ value: 0.5, low: NaN, high: NaN });
    expect(quantile(Float64Array.from([1, 2, 3, 4]), 0.5)).toBe(2.5);
  });
});

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { flipsOf } from '../../src/evaluate/flips.ts';

const actions = fc.integer({ min: 0, max: 2 });

describe('flips', () => {
  it('are the rows whose action differs, each in one place', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(actions, actions), { minLength: 1 }), (pairs) => {
        const rows = pairs.map((_, row) => row);
        const [before, after] = [0, 1].map((side) => Uint8Array.from(pairs, (pair) => pair[side]!));
        const flips = flipsOf(rows, before!, after!, []);
        const all = Object.values(flips.matrix).flatMap((row) => Object.values(row));
        expect(all.reduce((sum, count) => sum + count, 0)).toBe(pairs.length);
        expect(flips.flipped).toBe(pairs.filter(([a, b]) => a !== b).length);
        expect(flips.stricter.rows).toBe(pairs.filter(([a, b]) => b > a).length);
        expect(flips.share).toBe(flips.flipped / pairs.length);
        const back = flipsOf(rows, after!, before!, []);
        expect([back.stricter, back.milder]).toEqual([flips.milder, flips.stricter]);
      }),
    );
  });

  it('say how many of the flipped rows deserve it, where that is known', () => {
    const before = Uint8Array.of(0, 0, 0, 2, 1);
    const after = Uint8Array.of(1, 2, 1, 0, 1);
    const toxic = Float32Array.of(1, NaN, 0, 1, 1);
    const spam = Float32Array.of(0, NaN, 0, NaN, 0);
    const flips = flipsOf([0, 1, 2, 3, 4], before, after, [toxic, spam]);
    expect(flips.stricter).toEqual({ rows: 3, known: 2, positive: 1 });
    expect(flips.milder).toEqual({ rows: 1, known: 1, positive: 1 });
    expect(flips.matrix.allow).toEqual({ allow: 0, review: 2, block: 1 });
    expect(flipsOf([3, 4], before, after, []).rows).toBe(2);
  });
});

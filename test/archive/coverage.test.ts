import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createCoverage, holesOf } from '../../src/archive/coverage.ts';

const range = fc
  .tuple(fc.nat({ max: 40 }), fc.nat({ max: 6 }))
  .map(([from, length]) => ({ topic: 't', partition: 0, from, to: from + length }));

function offsets(intervals: readonly { from: number; to: number }[]): number[] {
  return intervals.flatMap(({ from, to }) => Array.from({ length: to - from }, (_, i) => from + i));
}

describe('coverage', () => {
  it('is the same as counting every offset, whatever the order of the ranges', () => {
    fc.assert(
      fc.property(fc.array(range, { maxLength: 20 }), (ranges) => {
        const coverage = createCoverage();
        const seen = new Set<number>();
        for (const each of ranges) {
          const own = offsets([each]);
          expect(offsets(coverage.add('p', each))).toEqual(own.filter((offset) => seen.has(offset)));
          for (const offset of own) seen.add(offset);
        }
        const intervals = coverage.partitions()[0]?.intervals ?? [];
        expect(offsets(intervals)).toEqual([...seen].toSorted((a, b) => a - b));
        // Joined where they touch, so that every hole between them is one.
        for (const { from, to } of holesOf(intervals)) expect(from).toBeLessThan(to);
        expect(holesOf(intervals)).toHaveLength(Math.max(0, intervals.length - 1));
      }),
    );
  });

  it('keeps pipelines, topics and partitions apart, in order', () => {
    const coverage = createCoverage();
    const names = [
      ['b', 't', 0],
      ['a', 'u', 1],
      ['a', 't', 10],
      ['a', 't', 9],
    ] as const;
    for (const [pipeline, topic, partition] of names)
      expect(coverage.add(pipeline, { topic, partition, from: 0, to: 1 })).toEqual([]);
    expect(
      coverage.partitions().map(({ pipeline, topic, partition }) => [pipeline, topic, partition]),
    ).toEqual([
      ['a', 't', 9],
      ['a', 't', 10],
      ['a', 'u', 1],
      ['b', 't', 0],
    ]);
  });
});

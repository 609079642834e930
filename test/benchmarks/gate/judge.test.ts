import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { judge } from '../../../benchmarks/gate/judge.ts';
import { LIMITS, STAGES } from '../../../benchmarks/stages/index.ts';

const expectations = { decode: { ratio: 2, reference: 'json-parse' } };
const verdictOf = (ratio: number) => judge(new Map([['decode', ratio]]), expectations, 0.15)[0]!.verdict;

describe('gate', () => {
  it('fails from 15 per cent more on, and tells when something has become faster', () => {
    expect([1.69, 1.71, 2, 2.29, 2.31, 20].map(verdictOf)).toEqual([
      'faster',
      'as expected',
      'as expected',
      'as expected',
      'slower',
      'slower',
    ]);
  });

  it('never passes what it has not measured', () => {
    expect(() => judge(new Map(), expectations, 0.15)).toThrow(/ratio of decode, got undefined/);
    expect(() => verdictOf(NaN)).toThrow(RangeError);
    expect(() => verdictOf(0)).toThrow(RangeError);
  });

  it('expects ratios of stages that there are', () => {
    const file = new URL('../../../benchmarks/gate/expected.json', import.meta.url);
    const { stages } = JSON.parse(readFileSync(file, 'utf8')) as {
      stages: Record<string, { reference: string }>;
    };
    expect(Object.keys(stages).length).toBeGreaterThanOrEqual(5);
    for (const [name, { reference }] of Object.entries(stages)) {
      expect(Object.keys(STAGES)).toContain(name);
      expect(Object.keys({ ...STAGES, ...LIMITS })).toContain(reference);
    }
  });
});

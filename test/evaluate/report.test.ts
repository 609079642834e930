import { describe, expect, it } from 'vitest';
import { MisconfiguredError } from '../../src/errors.ts';
import { failuresOf, parseCondition, parseShare } from '../../src/evaluate/gate.ts';
import type { LabelledData } from '../../src/evaluate/labelled-data.ts';
import { markdownOf, tablesOf, textOf } from '../../src/evaluate/report-table.ts';
import { reportOf } from '../../src/evaluate/report.ts';
import type { Verdicts } from '../../src/evaluate/verdicts.ts';

const OPTIONS = { resamples: 50, seed: 1 };
const TRUTH = [1, 1, 1, 0, 0, 0, 1, NaN];
const data: LabelledData = {
  rows: 8,
  text: TRUTH.map((_, row) => `text ${row}`),
  language: TRUTH.map(() => null),
  customer: TRUTH.map(() => ''),
  truth: new Map([
    ['toxic', Float32Array.from(TRUTH)],
    ['rude', Float32Array.from(TRUTH)],
  ]),
  empty: 2,
};
const verdictsOf = (scores: readonly number[], model = 'one@1'): Verdicts => ({
  model,
  policy: 'default@1',
  labels: new Map([
    [
      'toxic',
      {
        scores: Float32Array.from(scores),
        review: Float32Array.from(scores, (_, row) => (row < 4 ? 0.5 : 0.7)),
        block: Float32Array.from(scores, () => Infinity),
      },
    ],
  ]),
  actions: Uint8Array.from(scores, (score, row) => (score >= (row < 4 ? 0.5 : 0.7) ? 1 : 0)),
  language: ['de', 'de-AT', 'de', 'de', 'fr', 'fr', 'fr', null],
  poison: 0,
});
const ONE = verdictsOf([0.9, 0.6, 0.4, 0.55, 0.6, 0.1, NaN, 0.9]);
const OTHER = verdictsOf([0.9, 0.8, 0.7, 0.1, 0.2, 0.1, 0.8, 0.1], 'two@2');

describe('a report', () => {
  it('measures scored rows with a known truth, at the thresholds of each row', () => {
    const report = reportOf(data, [ONE], OPTIONS);
    const { all, languages } = report.labels['toxic']!;
    expect([all.rows, all.positives, all.unscored]).toEqual([6, 3, 1]);
    // Of 9 pairs, 0.6 against 0.6 is half, 0.4 is below 0.55 and 0.6.
    expect(all.auc.value).toBeCloseTo(6.5 / 9, 10);
    expect(all.auc.low).toBeLessThanOrEqual(all.auc.value);
    expect(all.auc.high).toBeGreaterThanOrEqual(all.auc.value);
    // 0.9 and 0.6 hit, 0.55 is an alarm, 0.4 a miss; 0.6 of row 4 is under its own threshold.
    expect(all.review).toMatchObject({ threshold: null, flagged: 3 });
    expect(all.review!.precision.value).toBeCloseTo(2 / 3, 10);
    expect(all.review!.recall.value).toBeCloseTo(2 / 3, 10);
    expect(all.block).toBeNull();
    expect(Object.keys(languages)).toEqual(['de', 'fr']);
    expect(languages['de']).toMatchObject({ rows: 4, positives: 3, review: { threshold: 0.5 } });
    expect(languages['fr']!.auc.value).toBeNaN();
    expect(report.not_scored).toEqual(['rude']);
    expect(report.data).toEqual({ rows: 8, empty: 2, languages: { de: 4, fr: 3, und: 1 } });
    expect(reportOf(data, [ONE], OPTIONS)).toEqual(report);
  });

  it('compares two sides on the rows that both scored', () => {
    const report = reportOf(data, [ONE, OTHER], OPTIONS);
    const { differences, flips, flips_by_language: byLanguage } = report.against!;
    expect(differences['toxic']!.rows).toBe(6);
    expect(differences['toxic']!.auc.value).toBeCloseTo(6.5 / 9 - 1, 10);
    expect(differences['toxic']!.auc.high).toBeLessThanOrEqual(0);
    expect(flips).toMatchObject({ flipped: 4, share: 0.5 });
    expect(byLanguage['fr']).toMatchObject({ rows: 3, flipped: 1 });
    expect(reportOf(data, [ONE, ONE], OPTIONS).against!.differences['toxic']!.auc).toEqual({
      value: 0,
      low: 0,
      high: 0,
    });
  });

  it('prints aligned and Markdown tables, without small languages', () => {
    const tables = tablesOf(reportOf(data, [ONE, OTHER], OPTIONS), 4);
    const text = textOf(tables);
    expect(text).toMatch(/^toxic +all +6 +3 +1 +0\.722 \[/m);
    expect(text).toMatch(/^toxic +de +4/m);
    expect(text).not.toMatch(/^toxic +fr/m);
    expect(text).toContain('one@1 minus two@2');
    expect(markdownOf(tables)).toContain('| toxic | all | 6 | 3 | 1 |');
  });
});

describe('the gate', () => {
  const report = reportOf(data, [ONE, OTHER], OPTIONS);
  const failures = (side: 'min' | 'max', ...texts: string[]) =>
    failuresOf(
      report,
      texts.map((text) => parseCondition(side, text)),
      undefined,
    );

  it('opens when every figure reaches its bound', () => {
    expect(failures('min', 'auc=0.72', 'toxic.precision=66%', 'toxic.de.f1=0.6')).toEqual([]);
    expect(failures('max', 'brier=0.9')).toEqual([]);
    expect(failuresOf(report, [], 0.5)).toEqual([]);
  });

  it('says what failed, and by how much', () => {
    expect(failures('min', 'auc=0.8', 'toxic.recall=0.7')).toEqual([
      { condition: '--min auc=0.8', detail: 'toxic.auc: expected at least 0.8, got 0.7222: 0.0778 too low' },
      {
        condition: '--min toxic.recall=0.7',
        detail: 'toxic.recall: expected at least 0.7, got 0.6667: 0.0333 too low',
      },
    ]);
    expect(failures('max', 'calibration_error=0.01')[0]!.detail).toMatch(
      /expected at most 0.01, got .* too high/,
    );
    expect(failuresOf(report, [], 0.4)[0]!.detail).toBe(
      'expected at most 40 % of decisions to flip, got 50 % (4 of 8): 10 % too many',
    );
  });

  it('stays closed when there is nothing to measure', () => {
    const texts = ['rude.auc=0.1', 'toxic.fr.auc=0.1', 'toxic.it.auc=0.1', 'block_f1=0.1'];
    expect(failures('min', ...texts).map(({ condition }) => condition)).toEqual(
      texts.map((text) => `--min ${text}`),
    );
    expect(failuresOf(reportOf(data, [ONE], OPTIONS), [], 1)).toHaveLength(1);
    const unknown = { ...data, truth: new Map() };
    expect(
      failuresOf(reportOf(unknown, [ONE], OPTIONS), [parseCondition('min', 'auc=0')], undefined),
    ).toHaveLength(1);
  });

  it('stays closed for a label whose positives were not scored, though others were', () => {
    const blind = verdictsOf(TRUTH.map((truth) => (truth === 1 ? NaN : 0.1))).labels.get('toxic')!;
    const labels = new Map([
      ['toxic', blind],
      ['rude', ONE.labels.get('toxic')!],
    ]);
    const half = reportOf(data, [{ ...ONE, labels }], OPTIONS);
    const [failure, ...others] = failuresOf(half, [parseCondition('min', 'auc=0.1')], undefined);
    expect(failure?.detail).toMatch(/^toxic\.auc: expected at least 0\.1, got none/);
    expect(others).toEqual([]);
  });

  it('takes a language in any case, and says which there are', () => {
    expect(failures('min', 'toxic.DE.auc=0.1')).toEqual([]);
    expect(failures('min', 'toxic.de-AT.auc=0.1')[0]!.detail).toBe(
      'toxic.de-at.auc: expected a language of the data (de, fr), got "de-at"',
    );
  });

  it.each(['auc=0.8=0.9', '', 'auc', 'auc=', 'auc=x', 'auc=2', 'accuracy=0.5', 'a.b.c.auc=0.5', '=0.5'])(
    'refuses the condition "%s"',
    (text) => {
      expect(() => parseCondition('min', text)).toThrow(MisconfiguredError);
    },
  );

  it('reads shares', () => {
    expect(['2%', '0.02', ' 100 % ', '.5', '1'].map(parseShare)).toEqual([0.02, 0.02, 1, 0.5, 1]);
    expect(['', '-1', '101%', '2', 'x'].map(parseShare)).toEqual(Array(5).fill(undefined));
  });
});

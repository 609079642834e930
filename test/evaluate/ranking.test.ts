import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { brierScore, calibrationBins, calibrationError } from '../../src/evaluate/calibration.ts';
import { f1Of, precisionOf, recallOf } from '../../src/evaluate/detection.ts';
import { averagePrecision, countOf, rank, rocAuc } from '../../src/evaluate/ranking.ts';

interface Case {
  readonly name: string;
  readonly truth: readonly number[];
  readonly scores: readonly number[];
  readonly auc: number;
  readonly average_precision: number;
  readonly brier: number;
  readonly threshold: number;
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
}

/** Figures of scikit-learn 1.9.1 for random scores, with and without ties. */
const CASES = JSON.parse(
  readFileSync(new URL('fixtures/sklearn.json', import.meta.url), 'utf8'),
) as readonly Case[];

const ranked = (scores: readonly number[], truth: readonly number[]) =>
  rank(scores.keys(), Float32Array.from(scores), Float32Array.from(truth));

/** Scores of a tenth, so that many are equal; truth; how often each row counts. */
const rows = fc.array(
  fc.record({
    tenths: fc.integer({ min: 0, max: 10 }),
    positive: fc.boolean(),
    weight: fc.integer({ min: 0, max: 3 }),
  }),
  { minLength: 1, maxLength: 40 },
);

/** Both NaN, or close. */
function expectSame(one: number, other: number): void {
  if (Number.isNaN(other)) expect(one).toBeNaN();
  else expect(one).toBeCloseTo(other, 10);
}

describe('ranking', () => {
  it.each(CASES)('gives the figures of scikit-learn: $name', (each) => {
    const ranking = ranked(each.scores, each.truth);
    expect(rocAuc(ranking)).toBeCloseTo(each.auc, 10);
    expect(averagePrecision(ranking)).toBeCloseTo(each.average_precision, 10);
    expect(brierScore(ranking)).toBeCloseTo(each.brier, 6);
    const flagged = each.scores.map((score) => score >= each.threshold);
    const count = (isFlagged: boolean, truth: number) =>
      each.truth.filter((value, i) => value === truth && flagged[i] === isFlagged).length;
    const detection = { hits: count(true, 1), alarms: count(true, 0), misses: count(false, 1) };
    expect(precisionOf(detection)).toBeCloseTo(each.precision, 10);
    expect(recallOf(detection)).toBeCloseTo(each.recall, 10);
    expect(f1Of(detection)).toBeCloseTo(each.f1, 10);
  });

  it('has the AUC of comparing every positive with every negative, ties counted half', () => {
    fc.assert(
      fc.property(rows, (list) => {
        const positives = list.filter(({ positive }) => positive);
        const negatives = list.filter(({ positive }) => !positive);
        let won = 0;
        let pairs = 0;
        for (const a of positives)
          for (const b of negatives) {
            const weight = a.weight * b.weight;
            pairs += weight;
            won += weight * (a.tenths > b.tenths ? 1 : a.tenths === b.tenths ? 0.5 : 0);
          }
        const ranking = ranked(
          list.map(({ tenths }) => tenths / 10),
          list.map(({ positive }) => Number(positive)),
        );
        const weights = Uint32Array.from(ranking.rows, (row) => list[row]!.weight);
        expectSame(rocAuc(ranking, weights), won / pairs);
      }),
    );
  });

  it('counts a row with weight n as n rows', () => {
    fc.assert(
      fc.property(rows, (list) => {
        const scores = list.map(({ tenths }) => tenths / 10);
        const truth = list.map(({ positive }) => Number(positive));
        const once = ranked(scores, truth);
        const weights = Uint32Array.from(once.rows, (row) => list[row]!.weight);
        const repeat = <Value>(values: readonly Value[]) =>
          values.flatMap((value, row) => Array.from({ length: list[row]!.weight }, () => value));
        const many = ranked(repeat(scores), repeat(truth));
        expect(countOf(once, weights)).toEqual(countOf(many, undefined));
        for (const figure of [rocAuc, averagePrecision, brierScore, calibrationError])
          expectSame(figure(once, weights), figure(many));
      }),
    );
  });

  it('leaves out rows without a score or a truth, and knows soft labels', () => {
    const ranking = ranked([0.2, NaN, 0.9, 0.7], [0, 1, NaN, 0.6]);
    expect([...ranking.rows]).toEqual([3, 0]);
    expect([...ranking.positive]).toEqual([1, 0]);
    expect(rocAuc(ranking)).toBe(1);
  });

  it('has no AUC without positives or without negatives', () => {
    expect(rocAuc(ranked([0.1, 0.9], [1, 1]))).toBeNaN();
    expect(rocAuc(ranked([0.1, 0.9], [0, 0]))).toBeNaN();
    expect(averagePrecision(ranked([], []))).toBeNaN();
  });
});

describe('calibration', () => {
  it('compares what was said with what was true, by tenths', () => {
    const scores = [0.05, 0.15, 0.15, 0.95, 1];
    const ranking = ranked(scores, [0, 0, 1, 1, 0]);
    const bins = calibrationBins(ranking);
    expect(bins.map(({ rows: count }) => count)).toEqual([1, 2, 0, 0, 0, 0, 0, 0, 0, 2]);
    expect(bins[1]!.truth).toBe(0.5);
    expect(bins[9]!.score).toBeCloseTo(0.975, 6);
    // (1 × 0.05 + 2 × 0.35 + 2 × 0.475) / 5
    expect(calibrationError(ranking)).toBeCloseTo(0.34, 6);
  });

  it('is 0 for scores that are the truth', () => {
    const ranking = ranked([0, 1, 1, 0], [0, 1, 1, 0]);
    expect([brierScore(ranking), calibrationError(ranking)]).toEqual([0, 0]);
  });
});

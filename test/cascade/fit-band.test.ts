import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fitBand } from '../../src/cascade/fit-band.ts';
import { measureLoss } from '../../src/cascade/loss.ts';
import { createStages, pickRows, type Stages } from '../../src/cascade/stages.ts';

const THRESHOLDS = { toxic: { review: 0.5, block: 0.9 }, spam: { review: 0.6 } };
const LABELS = ['toxic', 'spam'];

const probability = fc.integer({ min: 0, max: 1000 }).map((thousandth) => thousandth / 1000);
/** Texts of two labels; truth known, unknown or absent. */
const samples = (isLabelled: boolean) =>
  fc
    .array(
      fc.record({
        first: fc.tuple(probability, probability),
        second: fc.tuple(probability, probability),
        truth: fc.tuple(fc.constantFrom(0, 1, NaN), fc.constantFrom(0, 1, NaN)),
      }),
      { minLength: 1, maxLength: 60 },
    )
    .map((rows): Stages => {
      const column = (pick: (row: (typeof rows)[number]) => number) => Float32Array.from(rows, pick);
      return createStages({
        labels: LABELS,
        first: [column(({ first }) => first[0]), column(({ first }) => first[1])],
        second: [column(({ second }) => second[0]), column(({ second }) => second[1])],
        thresholds: THRESHOLDS,
        truth: new Map(
          isLabelled ? LABELS.map((label, i) => [label, column(({ truth }) => truth[i as 0 | 1])]) : [],
        ),
      });
    });
const loss = fc.constantFrom(0, 0.001, 0.01, 0.1, 1);

describe('fitBand', () => {
  for (const isLabelled of [true, false]) {
    it(`loses at most what is asked on every sample (${isLabelled ? 'labelled' : 'unlabelled'})`, () => {
      fc.assert(
        fc.property(samples(isLabelled), samples(isLabelled), loss, (fitted, other, most) => {
          const { band, losses } = fitBand([fitted, other], most);
          for (const [i, sample] of [fitted, other].entries()) {
            expect(measureLoss(sample, band)).toEqual(losses[i]);
            expect(losses[i]!.worst).toBeLessThanOrEqual(most);
          }
          for (const [low, high] of Object.values(band)) expect(low).toBeLessThanOrEqual(high);
        }),
      );
    });
  }

  it('changes no action when nothing may be lost and nothing is labelled', () => {
    fc.assert(
      fc.property(samples(false), (stages) => {
        expect(fitBand([stages], 0).losses[0]!.flips).toBe(0);
      }),
    );
  });

  it('does not depend on the order of the texts', () => {
    fc.assert(
      fc.property(samples(true), loss, fc.infiniteStream(fc.nat()), (stages, most, random) => {
        const order = Array.from({ length: stages.rows }, (_, row) => ({ row, key: random.next().value! }))
          .toSorted((a, b) => a.key - b.key)
          .map(({ row }) => row);
        expect(fitBand([pickRows(stages, order)], most).band).toEqual(fitBand([stages], most).band);
      }),
    );
  });

  it('lets a first stage that always agrees decide everything, and one that says nothing decide nothing', () => {
    const scores = Float32Array.from({ length: 400 }, (_, row) => row / 400);
    const truth = new Map([['toxic', Float32Array.from(scores, (score) => Number(score >= 0.5))]]);
    const fit = (first: Float32Array) =>
      fitBand(
        [
          createStages({
            labels: ['toxic'],
            first: [first],
            second: [scores],
            thresholds: THRESHOLDS,
            truth,
          }),
        ],
        0.005,
      ).losses[0]!.share;
    expect(fit(scores)).toBeGreaterThan(0.99);
    expect(fit(new Float32Array(400).fill(0.3))).toBe(0);
  });

  it('decides more, the more may be lost', () => {
    const rows = 600;
    const second = Float32Array.from({ length: rows }, (_, row) => ((row * 7919) % rows) / rows);
    const noisy = second.map((score, row) =>
      Math.min(1, Math.max(0, score + (((row * 104729) % 997) / 997 - 0.5) / 2)),
    );
    const truth = new Map([
      ['toxic', second.map((score, row) => Number(score + ((row * 31) % 101) / 500 >= 0.6))],
    ]);
    const stages = createStages({
      labels: ['toxic'],
      first: [noisy],
      second: [second],
      thresholds: THRESHOLDS,
      truth,
    });
    const shares = [0, 0.005, 0.02, 0.1].map((most) => fitBand([stages], most).losses[0]!.share);
    expect(shares).toEqual(shares.toSorted((a, b) => a - b));
    expect(shares[0]!).toBeLessThan(shares[3]!);
  });
});

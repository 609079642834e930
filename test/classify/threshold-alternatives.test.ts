import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createAssignment } from '../../src/classify/assign-rows.ts';
import { thresholdAlternatives } from '../../src/classify/threshold-alternatives.ts';

/** A model whose thresholds tell which one it is. */
const model = (
  index: number,
  labels: readonly string[],
  hasThresholds = true,
  role: 'decide' | 'shadow' = 'decide',
) => ({
  name: `m${index}`,
  role,
  labels,
  thresholds: {
    thresholds: hasThresholds
      ? Object.fromEntries(labels.map((label) => [label, { review: index / 100 }]))
      : {},
    languageThresholds: hasThresholds
      ? { de: Object.fromEntries(labels.map((label) => [label, { block: index / 100 }])) }
      : {},
  },
});

describe('thresholdAlternatives', () => {
  it('is one where no two models share a label', () => {
    const { thresholds, indexOf } = thresholdAlternatives([model(1, ['a']), model(2, ['b'])]);
    expect(thresholds).toEqual([
      {
        thresholds: { a: { review: 0.01 }, b: { review: 0.02 } },
        languageThresholds: { de: { a: { block: 0.01 }, b: { block: 0.02 } } },
      },
    ]);
    expect([0, 1, 2, 3].map(indexOf)).toEqual([0, 0, 0, 0]);
    expect(thresholdAlternatives([]).thresholds).toHaveLength(1);
  });

  it('gives each row the thresholds of the models that scored it', () => {
    const arbitrary = fc.array(
      fc.record({
        labels: fc.subarray(['a', 'b', 'c', 'd'], { minLength: 1 }),
        hasThresholds: fc.boolean(),
        languages: fc.subarray(['de', 'en', 'fr'], { minLength: 1 }),
        role: fc.constantFrom('decide' as const, 'decide' as const, 'shadow' as const),
      }),
      { minLength: 1, maxLength: 5 },
    );
    fc.assert(
      fc.property(arbitrary, (given) => {
        const models = given.map(({ labels, hasThresholds, languages, role }, i) => ({
          ...model(i + 1, labels, hasThresholds, role),
          languages: new Set(languages),
          share: 1,
          judges: true,
        }));
        const { thresholds, indexOf } = thresholdAlternatives(models);
        for (const language of ['de', 'en', 'fr']) {
          const row = { rows: 1, language: [language], customer: ['c'], userId: [null], contentId: ['1'] };
          const { common } = createAssignment(models)(row);
          const found = thresholds[indexOf(common)]!;
          const scored = models.filter(({ role }, i) => role === 'decide' && (common & (1 << i)) !== 0);
          const decidable = models.flatMap(({ role, labels }) => (role === 'decide' ? labels : []));
          const strays = Object.keys(found.thresholds).filter((label) => !decidable.includes(label));
          expect(strays).toEqual([]);
          for (const { labels, thresholds: own } of scored) {
            for (const label of labels) {
              expect(found.thresholds[label]).toEqual(own.thresholds[label]);
              expect(found.languageThresholds['de']?.[label]).toEqual(
                (own.languageThresholds as Record<string, Record<string, unknown>>)['de']?.[label],
              );
            }
          }
        }
      }),
    );
  });

  it('is refused when there are too many', () => {
    const many = Array.from({ length: 20 }, (_, i) => model(i, [`l${i >> 1}`]));
    expect(() => thresholdAlternatives(many)).toThrow('expected at most 255 ways');
    const routed = Array.from({ length: 29 }, (_, i) => model(i, ['toxic']));
    expect(thresholdAlternatives(routed).thresholds).toHaveLength(30);
  });
});

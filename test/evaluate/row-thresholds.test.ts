import { describe, expect, it } from 'vitest';
import { policiesConfig } from '../../src/classify/policy-config.ts';
import { createPolicies } from '../../src/classify/policy.ts';
import { rowThresholds } from '../../src/evaluate/row-thresholds.ts';

const factsOf = (model: string, review: number, german?: number) => ({
  model,
  role: 'decide' as const,
  runsOn: 'cpu',
  thresholds: {
    thresholds: { toxic: { review } },
    languageThresholds: { ...(german !== undefined && { de: { toxic: { review: german } } }) },
  },
});
const MODELS = [factsOf('candidate@2', 0.4), factsOf('main@1', 0.6, 0.7)];
const POLICIES = policiesConfig.parse({
  default: { languages: { fr: { labels: { toxic: { block: 0.9 } } } } },
  acme: { labels: { toxic: { review: 0.1, block: 0.2 } } },
  quiet: { quiet: ['toxic'] },
});

const ROWS: readonly (readonly [
  customer: string,
  language: string | null,
  models: string | null,
  review: number,
  block: number,
])[] = [
  ['', null, 'main@1', 0.6, Infinity],
  ['stranger', 'de-AT', 'main@1', 0.7, Infinity],
  ['', 'de', 'candidate@2', 0.4, Infinity],
  ['', 'fr', 'main@1', Infinity, 0.9],
  ['acme', 'fr', 'candidate@2,sentiment@1', 0.1, 0.2],
  ['quiet', 'de', 'main@1', Infinity, Infinity],
  ['constructor', null, 'main@1', 0.6, Infinity],
  ['', null, null, 0.4, Infinity],
];

describe('thresholds of rows', () => {
  const rows = {
    customers: ROWS.map(([customer]) => customer),
    languages: ROWS.map(([, language]) => language),
    models: ROWS.map(([, , models]) => models),
  };
  const found = rowThresholds(rows, { policies: POLICIES, labels: ['toxic'], models: MODELS });

  it('are those of the customer, the language and the model', () => {
    expect([...found.review]).toEqual(ROWS.map((row) => Math.fround(row[3])));
    expect([...found.block]).toEqual(ROWS.map((row) => Math.fround(row[4])));
  });

  it('are where the policies decide', () => {
    const policies = createPolicies({
      policies: POLICIES,
      labels: ['toxic'],
      models: MODELS.map(({ thresholds }) => thresholds),
    });
    const models = Uint8Array.from(rows.models, (ids) => (ids?.startsWith('main') ? 1 : 0));
    for (const [level, index] of [
      ['review', 1],
      ['block', 2],
    ] as const)
      for (const below of [0, 1e-3]) {
        const scores = Float32Array.from(found[level], (threshold) => Math.min(1, threshold) - below);
        const { actions } = policies.decide({ ...rows, scores, models });
        actions.forEach((action, row) => {
          if (!Number.isFinite(found[level][row]!)) return;
          expect([row, action >= index]).toEqual([row, below === 0]);
        });
      }
  });
});

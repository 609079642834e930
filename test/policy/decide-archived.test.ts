import { describe, expect, it } from 'vitest';
import { policiesConfig } from '../../src/classify/index.ts';
import type { ArchivedRows } from '../../src/policy/archived-rows.ts';
import { createRedecide, type KnownModel } from '../../src/policy/decide-archived.ts';
import { ACTIONS } from '../../src/types.ts';

const labels = ['toxic', 'mood'];
const models: KnownModel[] = [
  { id: 'a@1', labels: ['toxic'], thresholds: { toxic: { block: 0.9 } }, languageThresholds: {} },
  {
    id: 'b@2',
    labels: ['toxic'],
    thresholds: { toxic: { block: 0.5 } },
    languageThresholds: { de: { toxic: { block: 0.1 } } },
  },
  { id: 'm@1', labels: ['mood'], thresholds: { mood: { review: 0.8 } }, languageThresholds: {} },
];

function archived(
  rows: Partial<Record<'models' | 'reasons' | 'scores' | 'languages' | 'actions', unknown[]>>,
) {
  const count = Math.max(...Object.values(rows).map((column) => column.length));
  const filled = <T>(value: T) => Array.from({ length: count }, () => value);
  return {
    contentIds: filled('id'),
    customers: filled('acme'),
    languages: filled(null),
    actions: filled('allow'),
    reasons: filled(null),
    models: filled('a@1'),
    ...rows,
    scores: Float32Array.from((rows.scores ?? filled([NaN, NaN])).flat() as number[]),
  } as unknown as ArchivedRows;
}

const redecideBy = (policies: object) =>
  createRedecide({ policies: policiesConfig.parse(policies), labels, models, prefix: 'new.yaml: ' });
const actions = ({ actions: found }: { actions: Uint8Array }) => [...found].map((action) => ACTIONS[action]);

describe('createRedecide', () => {
  it('takes the thresholds of the models that scored a row', () => {
    const redecide = redecideBy({});
    const rows = archived({
      models: ['a@1', 'b@2', 'b@2,m@1', 'a@1,m@1', 'b@2', null],
      languages: [null, null, null, null, 'de-AT', null],
      scores: [
        [0.6, NaN],
        [0.6, NaN],
        [0.6, 0.9],
        [0.6, 0.9],
        [0.2, NaN],
        [NaN, NaN],
      ],
    });
    const decided = redecide(rows, new Set(labels));
    expect(actions(decided)).toEqual(['allow', 'block', 'block', 'review', 'block', 'allow']);
    expect([...redecide.unknown]).toEqual([]);
  });

  it('decides rows of other models by all that are known, and says so', () => {
    const redecide = redecideBy({});
    const rows = archived({
      models: ['old@0', 'old@0', 'a@1,gone@3'],
      scores: [
        [0.95, 0],
        [0.6, 0],
        [0, 0.9],
      ],
    });
    // Of two known models with one label the first one's thresholds.
    expect(actions(redecide(rows, new Set(labels)))).toEqual(['block', 'allow', 'review']);
    expect([...redecide.unknown]).toEqual([
      ['old@0', 2],
      ['a@1,gone@3', 1],
    ]);
  });

  it('keeps what hash lists decided, and decides unsupported languages by the new policy', () => {
    const redecide = redecideBy({ default: { unsupported_language: 'review' } });
    const rows = archived({
      reasons: [['scam'], ['unsupported_language'], ['toxic'], ['retired']],
      actions: ['block', 'allow', 'block', 'review'],
      scores: [
        [NaN, NaN],
        [NaN, NaN],
        [0.1, 0],
        [0.1, 0],
      ],
    });
    // `retired` is a label that only the file has.
    const decided = redecide(rows, new Set([...labels, 'retired']));
    expect(actions(decided)).toEqual(['block', 'review', 'allow', 'allow']);
    expect(decided.reasons).toEqual([['scam'], ['unsupported_language'], null, null]);
  });

  it('refuses labels that nothing has, naming the file', () => {
    expect(() => redecideBy({ acme: { quiet: ['moood'] } })).toThrow(
      'new.yaml: acme: expected a label of the model (toxic, mood), got "moood"; did you mean "mood"?',
    );
  });
});

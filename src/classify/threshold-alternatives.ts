import { MisconfiguredError } from '../errors.ts';
import { conflicts, type AssignedModel } from './assign-rows.ts';
import type { ModelThresholds } from './policy-levels.ts';

/** The recommended thresholds that a row may have: those of the models that scored it. */
export interface Alternatives {
  readonly thresholds: readonly ModelThresholds[];
  /** Index into `thresholds` for a row's set of models; see assign-rows.ts. */
  readonly indexOf: (set: number) => number;
}

type Model = Pick<AssignedModel, 'labels' | 'role'> & { readonly thresholds: ModelThresholds };

/** Indices fit a byte. */
const MOST = 255;
const NONE: ModelThresholds = { thresholds: {}, languageThresholds: {} };

/**
 * Joins the thresholds of models. Where several models may score one label, a row has the thresholds of the one that did, so
 * there is one alternative for each choice of them; models that share no label with others are in all. Shadow models decide
 * nothing, so theirs are in none. Throws MisconfiguredError for more than 255. Pure.
 */
export function thresholdAlternatives(given: readonly Model[]): Alternatives {
  // Without labels they are nobody's rivals; they stay, since bits of sets count them.
  const models = given.map((model) =>
    model.role === 'decide' ? model : { ...model, labels: [], thresholds: NONE },
  );
  const before = conflicts(models);
  const rivals = models.map(
    (_, i) =>
      before[i]! |
      before.reduce((bits, set, other) => ((set & (1 << i)) !== 0 ? bits | (1 << other) : bits), 0),
  );
  const always = models.flatMap((model, i) => (rivals[i] === 0 ? [model.thresholds] : []));
  const chosen = models.reduce(
    (bits, { thresholds }, i) => (rivals[i] !== 0 && !isEmpty(thresholds) ? bits | (1 << i) : bits),
    0,
  );
  let sets = [0];
  for (let i = 0; i < models.length; i++) {
    const bit = 1 << i;
    if ((chosen & bit) === 0) continue;
    sets = [...sets, ...sets.filter((set) => (set & rivals[i]!) === 0).map((set) => set | bit)];
    if (sets.length > MOST)
      throw new MisconfiguredError(
        `classify.models: expected at most ${MOST} ways in which models with thresholds share the labels of a row, got more`,
      );
  }
  const indices = new Map(sets.map((set, index) => [set, index]));
  return {
    thresholds: sets.map((set) =>
      join([...always, ...models.flatMap((model, i) => ((set & (1 << i)) !== 0 ? [model.thresholds] : []))]),
    ),
    indexOf: (set) => indices.get(set & chosen) ?? 0,
  };
}

function isEmpty({ thresholds, languageThresholds }: ModelThresholds): boolean {
  return [thresholds, ...Object.values(languageThresholds)].every((map) => Object.keys(map).length === 0);
}

/** Labels are each in one of them. */
function join(all: readonly ModelThresholds[]): ModelThresholds {
  const languageThresholds: Record<string, ModelThresholds['thresholds']> = {};
  for (const { languageThresholds: own } of all)
    for (const [language, levels] of Object.entries(own))
      languageThresholds[language] = { ...languageThresholds[language], ...levels };
  return {
    thresholds: all.reduce((joined, { thresholds }) => ({ ...joined, ...thresholds }), {}),
    languageThresholds,
  };
}

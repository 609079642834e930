import { ACTIONS, type ModelWork, type ScoreMap, type ShadowVerdicts, type VerdictBatch } from '../types.ts';
import type { Assignment } from './assign-rows.ts';
import type { ClassifyConfig } from './config.ts';
import type { OpenedModel } from './open-models.ts';
import { createPolicies, type Listed, type Policies } from './policy.ts';
import { copyScores, type ModelScores } from './score-models.ts';
import { thresholdAlternatives, type Alternatives } from './threshold-alternatives.ts';

/** What shadow models are held against: the batch as it was decided. */
export interface Decided {
  readonly rows: number;
  readonly customers: readonly string[];
  readonly languages: readonly (string | null)[];
  /** Rows × labels of the deciding models. */
  readonly scores: Float32Array;
  readonly actions: Uint8Array;
  readonly assignment: Assignment;
  readonly unsupported: Uint8Array | undefined;
  readonly listed: readonly (Listed | null)[] | undefined;
}

/** What shadow models say of a batch, and how often they disagree, by name of the model. */
export interface ShadowOutcome {
  readonly verdicts: ShadowVerdicts;
  readonly disagreements: ReadonlyMap<string, ModelWork['disagreements']>;
}

/** A shadow model in the place of the deciding models that have a label in common with it. */
interface Shadow {
  readonly model: OpenedModel;
  /** Labels of the deciding models, then those that only it has. */
  readonly labels: readonly string[];
  /** Columns of the deciding models' scores that it replaces. */
  readonly replaced: readonly number[];
  readonly policies: Policies;
  readonly alternatives: Alternatives;
  /** Bits of the deciding models that stay, in the order of `alternatives`. */
  readonly stay: readonly number[];
}

/**
 * Makes the function that says what would have been decided with each shadow model in place of the deciding models with its
 * labels: by the same policies, with the shadow model's own thresholds where they have none. Undefined without shadow models.
 */
export function createShadows(
  models: readonly OpenedModel[],
  labels: readonly string[],
  policies: { readonly config: ClassifyConfig['policies']; readonly lists: readonly string[] },
): ((decided: Decided, scored: readonly ModelScores[]) => ShadowOutcome) | undefined {
  const shadows = models
    .filter(({ role }) => role === 'shadow')
    .map((model) => shadowOf(model, models, labels, policies));
  if (shadows.length === 0) return undefined;
  return (decided, scored) => {
    const actions = Array.from<string[] | null>({ length: decided.rows }).fill(null);
    const scores = Array.from<ScoreMap | null>({ length: decided.rows }).fill(null);
    const disagreements = new Map<string, ModelWork['disagreements']>();
    for (const shadow of shadows) {
      const own = scored.find(({ model }) => model === shadow.model)!;
      const found = decideInstead(shadow, own, decided, labels.length);
      disagreements.set(shadow.model.name, record(shadow.model, own, found, { decided, actions, scores }));
    }
    return { verdicts: { actions, scores }, disagreements };
  };
}

function shadowOf(
  model: OpenedModel,
  models: readonly OpenedModel[],
  decidingLabels: readonly string[],
  { config, lists }: { readonly config: ClassifyConfig['policies']; readonly lists: readonly string[] },
): Shadow {
  const labels = [...new Set([...decidingLabels, ...model.labels])];
  const rivals = (other: OpenedModel) => other.labels.some((label) => model.labels.includes(label));
  const deciding = models
    .map((other, bit) => ({ other, bit }))
    .filter(({ other }) => other.role === 'decide');
  const stay = deciding.filter(({ other }) => !rivals(other));
  const replaced = deciding.filter(({ other }) => rivals(other)).flatMap(({ other }) => other.labels);
  const alternatives = thresholdAlternatives(
    [...stay.map(({ other }) => other), model].map(({ labels: own, classifier }) => ({
      role: 'decide',
      labels: own,
      thresholds: classifier,
    })),
  );
  return {
    model,
    labels,
    replaced: [...new Set(replaced)].map((label) => labels.indexOf(label)),
    policies: createPolicies({ policies: config, labels, models: alternatives.thresholds, lists }),
    alternatives,
    stay: stay.map(({ bit }) => bit),
  };
}

/** Actions of the rows that the shadow model took, in their order. */
function decideInstead(
  { model, labels, replaced, policies, alternatives, stay }: Shadow,
  own: ModelScores,
  decided: Decided,
  width: number,
): Uint8Array {
  const rows = own.rows ?? Int32Array.from({ length: decided.rows }, (_, row) => row);
  const table = new Float32Array(rows.length * labels.length).fill(NaN);
  const sets = new Uint8Array(rows.length);
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!;
    const start = i * labels.length;
    table.set(decided.scores.subarray(row * width, (row + 1) * width), start);
    for (const column of replaced) table[start + column] = NaN;
    const { sets: all, common } = decided.assignment;
    const set = all ? all[row]! : common;
    let kept = 0;
    for (const [bit, place] of stay.entries()) if ((set & (1 << place)) !== 0) kept |= 1 << bit;
    sets[i] = alternatives.indexOf(kept);
  }
  copyScores({ ...own, rows: null }, table, labels);
  const gather = <Value>(values: readonly Value[]) => Array.from(rows, (row) => values[row]!);
  const { unsupported, listed } = decided;
  return policies.decide({
    customers: gather(decided.customers),
    languages: gather(decided.languages),
    scores: table,
    models: sets,
    // A language that the shadow model takes is one that it judges, where it judges anything.
    unsupported: unsupported && !model.judges ? Uint8Array.from(rows, (row) => unsupported[row]!) : undefined,
    listed: listed && gather(listed),
  }).actions;
}

/** Adds what one model says to the columns; returns how its actions differ. */
function record(
  { id, labels }: OpenedModel,
  { rows, scored }: ModelScores,
  found: Uint8Array,
  into: {
    readonly decided: Pick<VerdictBatch, 'actions'>;
    readonly actions: (string[] | null)[];
    readonly scores: (ScoreMap | null)[];
  },
): ModelWork['disagreements'] {
  const keys = labels.map((label) => `${id}/${label}`);
  const failed = new Set(scored.poison.map(({ row }) => row));
  const differ: Record<string, number> = {};
  for (let i = 0; i < found.length; i++) {
    if (failed.has(i)) continue;
    const row = rows ? rows[i]! : i;
    const action = ACTIONS[found[i]!]!;
    (into.actions[row] ??= []).push(id, action);
    const values = scored.scores.subarray(i * labels.length, (i + 1) * labels.length);
    const before = into.scores[row];
    into.scores[row] = Number.isNaN(values[0])
      ? (before ?? null)
      : before
        ? { keys: [...before.keys, ...keys], values: Float32Array.from([...before.values, ...values]) }
        : { keys, values };
    const was = ACTIONS[into.decided.actions[row]!]!;
    if (was !== action) differ[`${was}>${action}`] = (differ[`${was}>${action}`] ?? 0) + 1;
  }
  return differ;
}

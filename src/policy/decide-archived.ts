import {
  createPolicies,
  UNSUPPORTED_LANGUAGE,
  type ModelThresholds,
  type Policies,
  type PoliciesConfig,
} from '../classify/index.ts';
import type { Action } from '../types.ts';
import type { ArchivedRows } from './archived-rows.ts';

/** A model whose thresholds are at hand. */
export interface KnownModel extends ModelThresholds {
  /** `name@version` */
  readonly id: string;
  readonly labels: readonly string[];
}

/** What a policy file says of archived rows; entry i of each array belongs to row i. */
export interface Redecided {
  readonly actions: Uint8Array;
  readonly reasons: readonly (readonly string[] | null)[];
}

/** Decides archived rows by policies that are not those of their time. */
export interface Redecide {
  /** `fileLabels`: those that the rows' file has scores of. */
  (rows: ArchivedRows, fileLabels: ReadonlySet<string>): Redecided;
  /** Ids of models whose own thresholds were not at hand, with the rows that they scored. */
  readonly unknown: ReadonlyMap<string, number>;
}

/** Rows have an index into the models, in a byte. */
const MOST_MODELS = 255;

/**
 * Makes what decides archived rows by `policies`, with the code that decides in the pipeline. Where a policy says nothing, the
 * thresholds of the models that scored a row hold, or those of all known models where that one is not known. What was no
 * matter of scores stays what it was: a row on a hash list its list's action, one in an unsupported language the policy's.
 * Throws MisconfiguredError for policies that contradict themselves or name a label that is not among `labels`.
 */
export function createRedecide(options: {
  readonly policies: PoliciesConfig;
  /** Of the score columns. */
  readonly labels: readonly string[];
  readonly models: readonly KnownModel[];
  /** What errors say before the name of a policy: its file. */
  readonly prefix: string;
}): Redecide {
  const { policies, labels, models, prefix } = options;
  const alternatives: ModelThresholds[] = [joined(models)];
  const indices = new Map<string, number>();
  const unknown = new Map<string, number>();
  const create = (): Policies => createPolicies({ policies, labels, models: alternatives, prefix });
  let current = create();

  const indexOf = (names: string | null): number => {
    if (names === null) return 0;
    const before = indices.get(names);
    if (before !== undefined) return before;
    const known = models.filter(({ id }) => names.split(',').includes(id));
    const isKnown = known.length === names.split(',').length;
    if (!isKnown) unknown.set(names, 0);
    const index = isKnown && alternatives.length < MOST_MODELS ? alternatives.push(joined(known)) - 1 : 0;
    indices.set(names, index);
    current = create();
    return index;
  };

  const redecide = (rows: ArchivedRows, fileLabels: ReadonlySet<string>): Redecided => {
    const count = rows.customers.length;
    const modelOf = new Uint8Array(count);
    const unsupported = new Uint8Array(count);
    const listed = Array.from<{ name: string; action: Action } | null>({ length: count }).fill(null);
    for (let row = 0; row < count; row++) {
      const names = rows.models[row]!;
      modelOf[row] = indexOf(names);
      if (names !== null && unknown.has(names)) unknown.set(names, unknown.get(names)! + 1);
      const fact = rows.reasons[row]?.find((reason) => !fileLabels.has(reason));
      if (fact === UNSUPPORTED_LANGUAGE) unsupported[row] = 1;
      else if (fact !== undefined) listed[row] = { name: fact, action: rows.actions[row]! };
    }
    const { customers, languages, scores } = rows;
    return current.decide({ customers, languages, scores, models: modelOf, unsupported, listed });
  };
  return Object.assign(redecide, { unknown });
}

/** Thresholds of models that score a row together; of two with one label the first one's. */
function joined(models: readonly KnownModel[]): ModelThresholds {
  const thresholds: Record<string, ModelThresholds['thresholds'][string]> = {};
  const languageThresholds: Record<string, Record<string, ModelThresholds['thresholds'][string]>> = {};
  for (const model of models.toReversed()) {
    Object.assign(thresholds, model.thresholds);
    for (const [language, levels] of Object.entries(model.languageThresholds))
      languageThresholds[language] = { ...languageThresholds[language], ...levels };
  }
  return { thresholds, languageThresholds };
}

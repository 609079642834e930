import { ACTIONS, UNSUPPORTED_LANGUAGE, type Action } from '../types.ts';
import { LONGEST_TAG, tagRanges, UNKNOWN_LANGUAGE } from './language-tag.ts';
import { checkPolicies } from './policy-check.ts';
import type { PoliciesConfig } from './policy-config.ts';
import {
  digestOf,
  languagesOf,
  levelsOf,
  type Levels,
  type ModelThresholds,
  type PolicyChain,
} from './policy-levels.ts';

export { UNSUPPORTED_LANGUAGE };

/** What decides a row without a score: the hash list that its text is on, and that list's action. */
export interface Listed {
  readonly name: string;
  readonly action: Action;
}

/** What is to be decided: entry i of each array belongs to row i. */
export interface Undecided {
  readonly customers: readonly string[];
  /** BCP 47 tags, null where the language is not known. */
  readonly languages: readonly (string | null)[];
  /**
   * Rows × labels, row-major. A NaN score reaches no level, so a row that was not scored is allowed; what the model failed on
   * is dead-lettered before, it never comes here as an allowed row.
   */
  readonly scores: Float32Array;
  /** Index into the models that createPolicies was given, whose thresholds hold for the row; absent: 0 for all. */
  readonly models?: Uint8Array | undefined;
  /** 1 for rows in a language that no model judges; absent: none. */
  readonly unsupported?: Uint8Array | undefined;
  /** Rows that are on a hash list; absent: none. */
  readonly listed?: readonly (Listed | null)[] | undefined;
}

/** Decisions of a batch: entry i of each array belongs to row i. */
export interface Decisions {
  /** Index into ACTIONS. */
  readonly actions: Uint8Array;
  /**
   * Labels that reached the level of the action, highest probability first, or the one fact that decided (`unsupported_language`,
   * the name of a hash list); null for other rows that are allowed.
   */
  readonly reasons: (string[] | null)[];
  /** The threshold that each of a row's reasons reached, 1 for facts; null where there are no reasons. */
  readonly thresholds: (number[] | null)[];
  /** Id of the policy that decided each row; absent when the default policy decided all. */
  readonly policies?: string[];
}

/** The policies of all customers, checked against the labels of the models. Pure. */
export interface Policies {
  /** Id of the default policy: `name@version`, or `default@` and 8 hex digits of its thresholds' digest. */
  readonly id: string;
  decide(rows: Undecided): Decisions;
}

const ALLOW = ACTIONS.indexOf('allow');
const REVIEW = ACTIONS.indexOf('review');
const BLOCK = ACTIONS.indexOf('block');

/** Tags of producers that are remembered; with more of them, whoever sends nonsense costs time, not memory. */
const REMEMBERED_TAGS = 10_000;

/** One policy, its thresholds made when a language first comes. */
interface Policy {
  readonly id: () => string;
  readonly unsupported: number;
  readonly levels: (model: number, language: string | null) => Levels;
}

/** What {@link createPolicies} joins. */
export interface PoliciesOptions {
  readonly policies: PoliciesConfig;
  /** Of all models, in the order of the score columns. */
  readonly labels: readonly string[];
  /** Thresholds of the models; see {@link Undecided.models}. At least one. */
  readonly models: readonly ModelThresholds[];
  /** Names of the hash lists, which stand beside labels as reasons. */
  readonly lists?: readonly string[];
  /** What errors say before the name of a policy, such as `classify.policies.`. */
  readonly prefix?: string;
}

/**
 * Joins the configured policies with the models' own thresholds: a customer's entry for a label, else the default policy's,
 * else the model's, each for the language of the row before that for all; an entry replaces the whole one behind it, and a
 * quiet label has none. Throws MisconfiguredError for labels that the models do not have and for thresholds that
 * contradict each other.
 */
export function createPolicies(options: PoliciesOptions): Policies {
  const { policies, labels } = options;
  checkPolicies(options);
  const memory = { tags: 0 };
  const byDefault = policies['default'] ? [policies['default']] : [];
  const fallback = createPolicy('default', byDefault, options, memory);
  const byCustomer = new Map(
    Object.entries(policies)
      .filter(([key]) => key !== 'default')
      .map(([key, policy]) => [key, createPolicy(key, [policy, ...byDefault], options, memory)]),
  );
  return { id: fallback.id(), decide: (rows) => decide({ rows, labels, byCustomer, fallback }) };
}

function createPolicy(
  key: string,
  chain: PolicyChain,
  { labels, models }: PoliciesOptions,
  memory: { tags: number },
): Policy {
  const unsupported = chain.map((policy) => policy.unsupported_language).find((action) => action) ?? 'allow';
  const own = chain[0];
  let id: string | undefined;
  const compiled = models.map((model) => {
    const named = new Set(languagesOf(chain, model));
    const base = levelsOf(chain, model, labels, []);
    const byLanguage = new Map<string, Levels>();
    const byTag = new Map<string, Levels>();
    const compile = (tag: string): Levels => {
      const ranges = tagRanges(tag);
      // Levels are kept for languages that the policy names, not for whatever tag comes.
      const language = ranges.find((range) => named.has(range));
      if (language === undefined) return base;
      const known = byLanguage.get(language);
      const levels = known ?? levelsOf(chain, model, labels, tagRanges(language));
      if (!known) byLanguage.set(language, levels);
      return levels;
    };
    return (tag: string): Levels => {
      if (named.size === 0 || tag === '') return base;
      const known = byTag.get(tag);
      if (known) return known;
      const levels = compile(tag);
      if (memory.tags < REMEMBERED_TAGS && tag.length <= LONGEST_TAG) {
        memory.tags++;
        byTag.set(tag, levels);
      }
      return levels;
    };
  });
  return {
    id: () => (id ??= `${own?.name ?? key}@${own?.version ?? digestOf(chain, models, labels, unsupported)}`),
    unsupported: ACTIONS.indexOf(unsupported),
    levels: (model, language) => compiled[model]!(language ?? UNKNOWN_LANGUAGE),
  };
}

function decide(input: {
  readonly rows: Undecided;
  readonly labels: readonly string[];
  readonly byCustomer: ReadonlyMap<string, Policy>;
  readonly fallback: Policy;
}): Decisions {
  const { rows, labels, byCustomer, fallback } = input;
  const { customers, languages, scores, models, unsupported, listed } = rows;
  const count = customers.length;
  const width = labels.length;
  const actions = new Uint8Array(count);
  const reasons = Array.from<string[] | null>({ length: count }).fill(null);
  const thresholds = Array.from<number[] | null>({ length: count }).fill(null);
  const policies = byCustomer.size > 0 ? Array.from<string>({ length: count }).fill(fallback.id()) : null;
  for (let row = 0; row < count; row++) {
    const policy = policies ? (byCustomer.get(customers[row]!) ?? fallback) : fallback;
    if (policies && policy !== fallback) policies[row] = policy.id();
    const fact = listed?.[row];
    if (fact || unsupported?.[row]) {
      actions[row] = fact ? ACTIONS.indexOf(fact.action) : policy.unsupported;
      reasons[row] = [fact ? fact.name : UNSUPPORTED_LANGUAGE];
      thresholds[row] = [1];
      continue;
    }
    const levels = policy.levels(models?.[row] ?? 0, languages[row]!);
    const start = row * width;
    let action = ALLOW;
    for (let label = 0; label < width; label++) {
      const score = scores[start + label]!;
      if (score >= levels.block[label]!) action = BLOCK;
      else if (score >= levels.review[label]! && action === ALLOW) action = REVIEW;
    }
    if (action === ALLOW) continue;
    actions[row] = action;
    const level = action === BLOCK ? 'block' : 'review';
    const found = reached(scores.subarray(start, start + width), levels[level]);
    reasons[row] = found.map((label) => labels[label]!);
    thresholds[row] = found.map((label) => levels.given[label]![level]!);
  }
  return { actions, reasons, thresholds, ...(policies ? { policies } : {}) };
}

/** Indices of the labels that reached their level, highest score first. */
function reached(scores: Float32Array, level: Float32Array): number[] {
  const found: number[] = [];
  for (let label = 0; label < scores.length; label++) if (scores[label]! >= level[label]!) found.push(label);
  return found.sort((a, b) => scores[b]! - scores[a]!);
}

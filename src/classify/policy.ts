import { createHash } from 'node:crypto';
import { MisconfiguredError } from '../errors.ts';
import { didYouMean } from '../suggest.ts';
import { ACTIONS } from '../types.ts';
import type { PolicyConfig, Thresholds } from './config.ts';

/** Decisions of a batch: entry i of each array belongs to row i. */
export interface Decisions {
  /** Index into ACTIONS. */
  readonly actions: Uint8Array;
  /** Labels that reached the level of the action, highest probability first; null for allow. */
  readonly reasons: (string[] | null)[];
  /** The threshold that each of a row's reasons reached; null for allow. */
  readonly thresholds: (number[] | null)[];
  /** Id of the policy that decided each row; absent when the default policy decided all. */
  readonly policies?: string[];
}

/** The policies of all customers, checked against the labels of one model. Pure. */
export interface Policies {
  /** Id of the default policy: `name@version`, or `default@` and 8 hex digits of its thresholds' digest. */
  readonly id: string;
  /**
   * Decides a batch. `scores` is rows × labels, row-major. A NaN score reaches no level, so a row that was not scored
   * is allowed; what the model failed on is dead-lettered before, it never comes here as an allowed row.
   */
  decide(customers: readonly string[], scores: Float32Array): Decisions;
}

interface Policy {
  readonly id: string;
  /** Per label, as they were given. */
  readonly levels: readonly Thresholds[];
  /** Per label; Infinity where the level is never reached. Float32 like the scores, so that 0.9 reaches 0.9. */
  readonly review: Float32Array;
  readonly block: Float32Array;
}

const ALLOW = ACTIONS.indexOf('allow');
const REVIEW = ACTIONS.indexOf('review');
const BLOCK = ACTIONS.indexOf('block');

/**
 * Joins the configured policies with the model's own thresholds: a customer's entry for a label, else the default
 * policy's, else the model's; an entry replaces the whole one behind it, and a quiet label has none. Throws
 * MisconfiguredError for labels that the model does not have and for thresholds that contradict each other.
 */
export function createPolicies(options: {
  readonly policies: Readonly<Record<string, PolicyConfig>>;
  readonly labels: readonly string[];
  readonly thresholds: Readonly<Record<string, Thresholds>>;
}): Policies {
  const { policies, labels } = options;
  for (const [key, policy] of Object.entries(policies))
    checkPolicy(`classify.policies.${key}`, policy, labels);
  const byCustomer = new Map<string, Policy>();
  for (const key of Object.keys(policies)) {
    if (key !== 'default') byCustomer.set(key, compile(key, [policies[key]!, policies['default']], options));
  }
  const fallback = compile('default', [policies['default']], options);
  return {
    id: fallback.id,
    decide: (customers, scores) => decide({ customers, scores, labels, byCustomer, fallback }),
  };
}

function checkPolicy(at: string, policy: PolicyConfig, labels: readonly string[]): void {
  for (const label of [...Object.keys(policy.labels), ...policy.quiet]) {
    if (labels.includes(label)) continue;
    throw new MisconfiguredError(
      `${at}: expected a label of the model (${labels.join(', ')}), got "${label}"${didYouMean(label, labels)}`,
    );
  }
  for (const [label, { review, block }] of Object.entries(policy.labels)) {
    if (policy.quiet.includes(label)) {
      throw new MisconfiguredError(`${at}: expected "${label}" in labels or in quiet, got it in both`);
    }
    if (review !== undefined && block !== undefined && review > block) {
      throw new MisconfiguredError(
        `${at}.labels.${label}: expected review at most block, got review ${review} and block ${block}`,
      );
    }
  }
}

function compile(
  key: string,
  chain: readonly (PolicyConfig | undefined)[],
  { labels, thresholds }: Parameters<typeof createPolicies>[0],
): Policy {
  const effective = labels.map((label): Thresholds => {
    for (const policy of chain) {
      if (policy?.quiet.includes(label)) return {};
      const own = policy && Object.hasOwn(policy.labels, label) ? policy.labels[label] : undefined;
      if (own) return own;
    }
    return (Object.hasOwn(thresholds, label) ? thresholds[label] : undefined) ?? {};
  });
  const digest = createHash('sha256')
    .update(
      JSON.stringify(
        labels.map((label, i) => [label, effective[i]!.review ?? null, effective[i]!.block ?? null]),
      ),
    )
    .digest('hex');
  const own = chain[0];
  return {
    id: `${own?.name ?? key}@${own?.version ?? digest.slice(0, 8)}`,
    levels: effective,
    review: Float32Array.from(effective, (level) => level.review ?? Infinity),
    block: Float32Array.from(effective, (level) => level.block ?? Infinity),
  };
}

function decide(input: {
  readonly customers: readonly string[];
  readonly scores: Float32Array;
  readonly labels: readonly string[];
  readonly byCustomer: ReadonlyMap<string, Policy>;
  readonly fallback: Policy;
}): Decisions {
  const { customers, scores, labels, byCustomer, fallback } = input;
  const width = labels.length;
  const actions = new Uint8Array(customers.length);
  const reasons = Array.from<string[] | null>({ length: customers.length }).fill(null);
  const thresholds = Array.from<number[] | null>({ length: customers.length }).fill(null);
  const policies =
    byCustomer.size > 0 ? Array.from<string>({ length: customers.length }).fill(fallback.id) : null;
  for (let row = 0; row < customers.length; row++) {
    const policy = policies ? (byCustomer.get(customers[row]!) ?? fallback) : fallback;
    if (policies) policies[row] = policy.id;
    const start = row * width;
    let action = ALLOW;
    for (let label = 0; label < width; label++) {
      const score = scores[start + label]!;
      if (score >= policy.block[label]!) action = BLOCK;
      else if (score >= policy.review[label]! && action === ALLOW) action = REVIEW;
    }
    if (action === ALLOW) continue;
    actions[row] = action;
    const level = action === BLOCK ? 'block' : 'review';
    const found = reached(scores.subarray(start, start + width), policy[level]);
    reasons[row] = found.map((label) => labels[label]!);
    thresholds[row] = found.map((label) => policy.levels[label]![level]!);
  }
  return { actions, reasons, thresholds, ...(policies ? { policies } : {}) };
}

/** Indices of the labels that reached their level, highest score first. */
function reached(scores: Float32Array, level: Float32Array): number[] {
  const found: number[] = [];
  for (let label = 0; label < scores.length; label++) if (scores[label]! >= level[label]!) found.push(label);
  return found.sort((a, b) => scores[b]! - scores[a]!);
}

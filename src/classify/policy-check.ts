import { MisconfiguredError } from '../errors.ts';
import { didYouMean } from '../suggest.ts';
import type { PoliciesConfig, PolicyConfig } from './policy-config.ts';

/**
 * Throws MisconfiguredError for labels that the models do not have, labels that a policy both quiets and gives thresholds,
 * thresholds that contradict each other, and hash lists that could not be told from labels in the reasons of a row.
 */
export function checkPolicies(options: {
  readonly policies: PoliciesConfig;
  readonly labels: readonly string[];
  readonly lists?: readonly string[];
  readonly prefix?: string;
}): void {
  const { policies, labels, lists = [], prefix = 'classify.policies.' } = options;
  for (const [key, policy] of Object.entries(policies)) {
    checkLevels(`${prefix}${key}`, policy, labels);
    for (const [language, levels] of Object.entries(policy.languages))
      checkLevels(`${prefix}${key}.languages.${language}`, levels, labels);
  }
  const clash = lists.find((name) => labels.includes(name));
  if (clash !== undefined) {
    throw new MisconfiguredError(
      `classify.hash_lists.${clash}: expected another name than those of the model's labels (${labels.join(', ')})`,
    );
  }
}

function checkLevels(
  at: string,
  levels: Pick<PolicyConfig, 'labels' | 'quiet'>,
  labels: readonly string[],
): void {
  for (const label of [...Object.keys(levels.labels), ...levels.quiet]) {
    if (labels.includes(label)) continue;
    throw new MisconfiguredError(
      `${at}: expected a label of the model (${labels.join(', ')}), got "${label}"${didYouMean(label, labels)}`,
    );
  }
  for (const [label, { review, block }] of Object.entries(levels.labels)) {
    if (levels.quiet.includes(label)) {
      throw new MisconfiguredError(`${at}: expected "${label}" in labels or in quiet, got it in both`);
    }
    if (review !== undefined && block !== undefined && review > block) {
      throw new MisconfiguredError(
        `${at}.labels.${label}: expected review at most block, got review ${review} and block ${block}`,
      );
    }
  }
}

import type { ModelFacts, ModelThresholds, PoliciesConfig } from '../classify/index.ts';
import { tagRanges, UNKNOWN_LANGUAGE } from '../classify/language-tag.ts';
import { levelsOf, type Levels } from '../classify/policy-levels.ts';

/** Rows whose thresholds are asked for; entry i of each array belongs to row i. */
export interface ThresholdRows {
  readonly customers: readonly string[];
  /** BCP 47 tags, null where the language is not known. */
  readonly languages: readonly (string | null)[];
  /** Ids of the models that scored the row, joined by commas; null where none did. */
  readonly models: readonly (string | null)[];
}

/** What thresholds come from. */
export interface ThresholdSources {
  readonly policies: PoliciesConfig;
  readonly labels: readonly string[];
  readonly models: readonly Pick<ModelFacts, 'model' | 'role' | 'thresholds'>[];
}

/**
 * The thresholds that each row's customer, language and models have for each label: rows × labels, row-major, Infinity where
 * a level is never reached. Pure.
 */
export function rowThresholds(
  { customers, languages, models }: ThresholdRows,
  sources: ThresholdSources,
): { readonly review: Float32Array; readonly block: Float32Array } {
  const { policies, labels } = sources;
  const review = new Float32Array(customers.length * labels.length);
  const block = new Float32Array(customers.length * labels.length);
  const known = new Map<string, Levels>();
  customers.forEach((customer, row) => {
    const policy = Object.hasOwn(policies, customer) ? customer : 'default';
    const language = languages[row] ?? UNKNOWN_LANGUAGE;
    const key = JSON.stringify([policy, language, models[row]]);
    let levels = known.get(key);
    if (!levels) {
      const chain = [...new Set([policy, 'default'])].flatMap((name) => policies[name] ?? []);
      levels = levelsOf(chain, joined(models[row] ?? null, sources), labels, tagRanges(language));
      known.set(key, levels);
    }
    review.set(levels.review, row * labels.length);
    block.set(levels.block, row * labels.length);
  });
  return { review, block };
}

/** What the models of a row recommend, of two with one label the first one. Without models: what any of them does. */
function joined(ids: string | null, { models }: ThresholdSources): ModelThresholds {
  const named = ids?.split(',');
  const own = models
    .filter(({ role, model }) => role === 'decide' && (named?.includes(model) ?? true))
    .toReversed();
  const languageThresholds: Record<string, ModelThresholds['thresholds']> = {};
  for (const { thresholds } of own)
    for (const [language, levels] of Object.entries(thresholds.languageThresholds))
      languageThresholds[language] = { ...languageThresholds[language], ...levels };
  return {
    thresholds: Object.assign(
      {},
      ...own.map(({ thresholds }) => thresholds.thresholds),
    ) as ModelThresholds['thresholds'],
    languageThresholds,
  };
}

import { createHash } from 'node:crypto';
import { normaliseTag, tagRanges } from './language-tag.ts';
import type { PolicyConfig } from './policy-config.ts';
import type { Thresholds } from './thresholds.ts';

/** What a model recommends: the last word where no policy has one. */
export interface ModelThresholds {
  /** By label. */
  readonly thresholds: Readonly<Record<string, Thresholds>>;
  /** Where it differs by language: BCP 47 tag → label → thresholds. */
  readonly languageThresholds: Readonly<Record<string, Readonly<Record<string, Thresholds>>>>;
}

/** Thresholds of one policy for one language and one model, by label. */
export interface Levels {
  /** As they were given. */
  readonly given: readonly Thresholds[];
  /** Infinity where the level is never reached. Float32 like the scores, so that 0.9 reaches 0.9. */
  readonly review: Float32Array;
  readonly block: Float32Array;
}

/** A policy and what stands behind it: the customer's, the default one. */
export type PolicyChain = readonly PolicyConfig[];

/**
 * Thresholds of each label for a language, given as {@link tagRanges}. The first entry holds, as a whole: of each policy of
 * the chain those for the language, then those for all; of the model the same. A quiet label has none.
 */
export function levelsOf(
  chain: PolicyChain,
  model: ModelThresholds,
  labels: readonly string[],
  ranges: readonly string[],
): Levels {
  const asked = chain.flatMap((policy) => [...inRanges(policy.languages, ranges), policy]);
  const recommended = [...inRanges(model.languageThresholds, ranges), model.thresholds];
  const given = labels.map((label): Thresholds => {
    for (const level of asked) {
      if (level.quiet.includes(label)) return {};
      const own = entryOf(level.labels, label);
      if (own) return own;
    }
    for (const level of recommended) {
      const own = entryOf(level, label);
      if (own) return own;
    }
    return {};
  });
  return {
    given,
    review: Float32Array.from(given, ({ review }) => review ?? Infinity),
    block: Float32Array.from(given, ({ block }) => block ?? Infinity),
  };
}

/** Languages for which a chain or a model has something of its own, normalised, in order. */
export function languagesOf(chain: PolicyChain, model: ModelThresholds): string[] {
  const named = [...chain.map(({ languages }) => languages), model.languageThresholds].flatMap(Object.keys);
  return [...new Set(named.map(normaliseTag))].toSorted();
}

/**
 * 8 hex digits that change when a threshold changes that can decide something: for any model, in any language. The same
 * thresholds written in another way have the same digits.
 */
export function digestOf(
  chain: PolicyChain,
  models: readonly ModelThresholds[],
  labels: readonly string[],
  unsupported: string,
): string {
  const listed = (model: ModelThresholds, ranges: readonly string[]) =>
    levelsOf(chain, model, labels, ranges).given.map(({ review, block }, index) => [
      labels[index],
      review ?? null,
      block ?? null,
    ]);
  const parts = models.flatMap((model) => [
    listed(model, []),
    ...languagesOf(chain, model).flatMap((language) => {
      const ranges = tagRanges(language);
      const levels = listed(model, ranges);
      // What would hold for it anyway is left out: `de-AT` stands behind `de`, not behind all languages.
      const isOwn = JSON.stringify(levels) !== JSON.stringify(listed(model, ranges.slice(1)));
      return isOwn ? [[language, levels]] : [];
    }),
  ]);
  if (unsupported !== 'allow') parts.push(['unsupported_language', unsupported]);
  const [only] = parts;
  const text = JSON.stringify(parts.length === 1 ? only : parts);
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}

function inRanges<T>(byLanguage: Readonly<Record<string, T>>, ranges: readonly string[]): T[] {
  if (ranges.length === 0) return [];
  const entries = Object.entries(byLanguage).map(([tag, value]) => [normaliseTag(tag), value] as const);
  return ranges.flatMap((range) => entries.filter(([tag]) => tag === range).map(([, value]) => value));
}

/** Labels may be named like properties that every object has. */
function entryOf<T>(map: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(map, key) ? map[key] : undefined;
}

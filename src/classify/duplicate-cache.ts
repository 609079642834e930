import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { MisconfiguredError } from '../errors.ts';
import type { Classifier, Scores } from './classifier.ts';

/** What one remembered text takes beside its scores: key, entries of map and list. Measured: 94 to 131. */
const ENTRY_BYTES = 136;
const SCORE_BYTES = Float32Array.BYTES_PER_ELEMENT;

/**
 * A classifier that remembers the scores of the texts that came last, in at most `bytes` of memory, and asks the given one only
 * for the others; `counts.duplicate` says how many it knew. Exactly the same text, known by its SHA-256: what seems to mean
 * nothing, such as white space, changes the scores of some models, and moves what they read of a long text. Only scores are
 * kept, so new policies need nothing; what made the model fail is asked again. Throws MisconfiguredError when not even one
 * text fits.
 */
export function createDuplicateCache(
  classifier: Classifier,
  options: { readonly bytes: number },
): Classifier {
  const width = classifier.labels.length;
  const capacity = Math.floor(options.bytes / (ENTRY_BYTES + width * SCORE_BYTES));
  if (capacity < 1) {
    throw new MisconfiguredError(
      `duplicates: expected room for one text at least, ${ENTRY_BYTES + width * SCORE_BYTES}B, got ${options.bytes}B`,
    );
  }
  /** Key of a text → its row in `kept`. */
  const rows = new LRUCache<string, number>({ max: capacity });
  const kept = new Float32Array(capacity * width);
  const keep = (key: string, scores: Float32Array) => {
    const known = rows.get(key);
    // Rows are given out one after the other, and then taken from whoever was not asked for longest.
    const row = known ?? (rows.size < capacity ? rows.size : rows.pop()!);
    kept.set(scores, row * width);
    rows.set(key, row);
  };

  const score = async (texts: readonly string[]): Promise<Scores> => {
    const scores = new Float32Array(texts.length * width);
    const keys: string[] = [];
    const unknown: number[] = [];
    for (let i = 0; i < texts.length; i++) {
      const key = keyOf(texts[i]!);
      const row = rows.get(key);
      if (row === undefined) {
        unknown.push(i);
        keys.push(key);
      } else scores.set(kept.subarray(row * width, (row + 1) * width), i * width);
    }
    const duplicate = texts.length - unknown.length;
    if (duplicate === 0) {
      const asked = await classifier.score(texts);
      remember(asked, keys);
      return asked;
    }
    const asked = await classifier.score(unknown.map((i) => texts[i]!));
    remember(asked, keys);
    for (const [at, i] of unknown.entries())
      scores.set(asked.scores.subarray(at * width, (at + 1) * width), i * width);
    return {
      ...asked,
      scores,
      poison: asked.poison.map(({ row, detail }) => ({ row: unknown[row]!, detail })),
      counts: { ...asked.counts, duplicate: (asked.counts['duplicate'] ?? 0) + duplicate },
    };
  };
  const remember = ({ scores, poison }: Scores, keys: readonly string[]) => {
    const poisoned = new Set(poison.map(({ row }) => row));
    for (const [row, key] of keys.entries())
      if (!poisoned.has(row)) keep(key, scores.subarray(row * width, (row + 1) * width));
  };
  return { ...classifier, score };
}

/** SHA-256 as a text of 32 characters of one byte: no encoding of it is smaller or made faster. */
function keyOf(text: string): string {
  return hash('sha256', text, 'binary');
}

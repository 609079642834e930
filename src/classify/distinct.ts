import type { Scores } from './classifier.ts';

/** Each text once, and for every given text the index of its only copy; `of` is null when no text came twice. */
export interface DistinctTexts {
  readonly distinct: readonly string[];
  readonly of: Int32Array | null;
}

/** Finds equal texts, so that each is scored once. */
export function distinctTexts(texts: readonly string[]): DistinctTexts {
  const indices = new Map<string, number>();
  const of = new Int32Array(texts.length);
  for (let i = 0; i < texts.length; i++) {
    const text = texts[i]!;
    let index = indices.get(text);
    if (index === undefined) indices.set(text, (index = indices.size));
    of[i] = index;
  }
  return indices.size === texts.length
    ? { distinct: texts, of: null }
    : { distinct: [...indices.keys()], of };
}

/**
 * The scores of all texts from those of the distinct ones: `scores` and `reasons` (why a text is poison) are by distinct text,
 * `width` is the number of labels.
 */
export function spreadScores(
  of: Int32Array | null,
  found: { readonly scores: Float32Array; readonly reasons: ReadonlyMap<number, string> },
  width: number,
): Pick<Scores, 'scores' | 'poison'> {
  const { scores, reasons } = found;
  if (!of)
    return {
      scores,
      poison: [...reasons].map(([row, detail]) => ({ row, detail })).sort((a, b) => a.row - b.row),
    };
  const all = new Float32Array(of.length * width);
  const poison: { row: number; detail: string }[] = [];
  for (let row = 0; row < of.length; row++) {
    const index = of[row]!;
    all.set(scores.subarray(index * width, (index + 1) * width), row * width);
    const detail = reasons.get(index);
    if (detail !== undefined) poison.push({ row, detail });
  }
  return { scores: all, poison };
}

/** The first index at or after `start` of `count` values that is no finite number, less `start`; -1 when all are. */
export function firstNotFinite(values: Float32Array, start: number, count: number): number {
  for (let i = 0; i < count; i++) if (!Number.isFinite(values[start + i]!)) return i;
  return -1;
}

import { f1Of, precisionOf, recallOf } from './detection.ts';
import { countOf, type Ranking } from './ranking.ts';

/** What flagging at and above a threshold would do. */
export interface ThresholdRow {
  /** What it was chosen for: `precision` or `recall` of at least `target`, or the highest `f1`. */
  readonly goal: 'precision' | 'recall' | 'f1';
  readonly target: number | null;
  /** Null where the goal cannot be reached. */
  readonly threshold: number | null;
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  /** Share of rows that would be flagged. */
  readonly flagged: number;
}

const PRECISIONS = [0.7, 0.8, 0.9, 0.95];
const RECALLS = [0.95, 0.9, 0.8, 0.5];

/**
 * Suggested thresholds for a label: for a precision the lowest threshold that has it (it finds the most), for a recall the
 * highest (it flags the fewest), and the one with the highest F1. Empty without positives. Pure.
 */
export function thresholdTable(ranking: Ranking): ThresholdRow[] {
  const { positives, rows } = countOf(ranking, undefined);
  if (positives === 0) return [];
  const { scores, positive } = ranking;
  const table: Omit<ThresholdRow, 'goal' | 'target'>[] = [];
  let hits = 0;
  for (let i = 0; i < rows; i++) {
    hits += positive[i]!;
    // A threshold cannot part equal scores.
    if (scores[i + 1] === scores[i]) continue;
    const detection = { hits, alarms: i + 1 - hits, misses: positives - hits };
    table.push({
      threshold: shortestBetween(scores[i + 1] ?? 0, scores[i]!),
      precision: precisionOf(detection),
      recall: recallOf(detection),
      f1: f1Of(detection),
      flagged: (i + 1) / rows,
    });
  }
  const none = { threshold: null, precision: NaN, recall: NaN, f1: NaN, flagged: 0 };
  const best = table.reduce((a, b) => (b.f1 > a.f1 ? b : a));
  return [
    ...PRECISIONS.map((target) => ({
      goal: 'precision' as const,
      target,
      ...(table.findLast(({ precision }) => precision >= target) ?? none),
    })),
    { goal: 'f1', target: null, ...best },
    ...RECALLS.map((target) => ({
      goal: 'recall' as const,
      target,
      ...(table.find(({ recall }) => recall >= target) ?? none),
    })),
  ];
}

/**
 * The shortest decimal d with low < d ≤ high, also once it is rounded to 32 bits, as scores and thresholds are: people write
 * thresholds, and this one flags the same rows. Pure.
 */
export function shortestBetween(low: number, high: number): number {
  for (let digits = 1; digits < 9; digits++) {
    const scale = 10 ** digits;
    const candidate = Math.floor(high * scale) / scale;
    if (Math.fround(candidate) > low && candidate > low && candidate <= high) return candidate;
  }
  return high;
}

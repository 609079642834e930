/** Scored rows of one label whose truth is known, highest score first. */
export interface Ranking {
  /** Growing index → score, falling. */
  readonly scores: Float32Array;
  /** 1 where the label holds: its truth is 0.5 or more. */
  readonly positive: Uint8Array;
  /** How true the label is, 0..1. */
  readonly truth: Float32Array;
  /** Row of each entry. */
  readonly rows: Uint32Array;
}

/** How often each entry of a ranking counts; absent: once. Bootstrap resamples are such weights. */
export type Weights = Uint32Array | undefined;

/**
 * Orders rows by score. `scores` and `truth` are read at each of `rows`; those without a score or a truth (NaN) are left
 * out. Pure.
 */
export function rank(rows: Iterable<number>, scores: Float32Array, truth: Float32Array): Ranking {
  const known = Uint32Array.from(
    [...rows].filter((row) => !Number.isNaN(scores[row]!) && !Number.isNaN(truth[row]!)),
  ).sort((a, b) => scores[b]! - scores[a]! || a - b);
  const degrees = Float32Array.from(known, (row) => truth[row]!);
  return {
    scores: Float32Array.from(known, (row) => scores[row]!),
    positive: Uint8Array.from(degrees, (degree) => (degree >= 0.5 ? 1 : 0)),
    truth: degrees,
    rows: known,
  };
}

/** Positives, and all, that count. */
export function countOf({ positive }: Ranking, weights: Weights): { positives: number; rows: number } {
  let positives = 0;
  let rows = 0;
  for (let i = 0; i < positive.length; i++) {
    const weight = weights ? weights[i]! : 1;
    rows += weight;
    if (positive[i] === 1) positives += weight;
  }
  return { positives, rows };
}

/** Positives and negatives of equal score, from the highest score down. */
function eachScore(
  { scores, positive }: Ranking,
  weights: Weights,
  visit: (positives: number, negatives: number) => void,
): void {
  for (let i = 0; i < scores.length;) {
    const score = scores[i]!;
    let positives = 0;
    let negatives = 0;
    for (; i < scores.length && scores[i] === score; i++) {
      const weight = weights ? weights[i]! : 1;
      if (positive[i] === 1) positives += weight;
      else negatives += weight;
    }
    visit(positives, negatives);
  }
}

/**
 * Area under the ROC curve: how often a positive has a higher score than a negative, equal scores counted half. NaN
 * without positives or without negatives.
 */
export function rocAuc(ranking: Ranking, weights?: Weights): number {
  let above = 0;
  let ordered = 0;
  let negativesInAll = 0;
  eachScore(ranking, weights, (positives, negatives) => {
    ordered += negatives * (above + positives / 2);
    above += positives;
    negativesInAll += negatives;
  });
  return ordered / (above * negativesInAll);
}

/**
 * Average precision: the area under the precision-recall curve as a sum of steps, without interpolation. NaN without
 * positives.
 */
export function averagePrecision(ranking: Ranking, weights?: Weights): number {
  let hits = 0;
  let flagged = 0;
  let sum = 0;
  eachScore(ranking, weights, (positives, negatives) => {
    hits += positives;
    flagged += positives + negatives;
    if (positives > 0) sum += positives * (hits / flagged);
  });
  return sum / hits;
}

import type { Ranking, Weights } from './ranking.ts';

/** Bins of equal width in which probabilities are compared with what was true. */
export const CALIBRATION_BINS = 10;

/** What was said and what was true in one bin of probabilities. */
export interface CalibrationBin {
  /** Rows whose score lies in the bin. */
  readonly rows: number;
  /** Mean score, 0..1. */
  readonly score: number;
  /** Mean truth, 0..1. */
  readonly truth: number;
}

/** Brier score: mean squared distance of score and truth; 0 is best. NaN without rows. Pure. */
export function brierScore({ scores, truth }: Ranking, weights?: Weights): number {
  let sum = 0;
  let rows = 0;
  for (let i = 0; i < scores.length; i++) {
    const weight = weights ? weights[i]! : 1;
    sum += weight * (scores[i]! - truth[i]!) ** 2;
    rows += weight;
  }
  return sum / rows;
}

/** Scores against truth in {@link CALIBRATION_BINS} bins, lowest first; the last one includes 1. Pure. */
export function calibrationBins({ scores, truth }: Ranking, weights?: Weights): CalibrationBin[] {
  const rows = new Float64Array(CALIBRATION_BINS);
  const said = new Float64Array(CALIBRATION_BINS);
  const was = new Float64Array(CALIBRATION_BINS);
  for (let i = 0; i < scores.length; i++) {
    const weight = weights ? weights[i]! : 1;
    const bin = Math.min(CALIBRATION_BINS - 1, Math.floor(scores[i]! * CALIBRATION_BINS));
    rows[bin]! += weight;
    said[bin]! += weight * scores[i]!;
    was[bin]! += weight * truth[i]!;
  }
  return Array.from(rows, (count, bin) => ({
    rows: count,
    score: said[bin]! / count,
    truth: was[bin]! / count,
  }));
}

/**
 * Expected calibration error: mean distance of score and truth over the bins, by rows. 0: of a hundred texts with 0.7,
 * seventy have the label. NaN without rows. Pure.
 */
export function calibrationError(ranking: Ranking, weights?: Weights): number {
  const bins = calibrationBins(ranking, weights).filter(({ rows }) => rows > 0);
  const all = bins.reduce((sum, { rows }) => sum + rows, 0);
  return bins.reduce((sum, { rows, score, truth }) => sum + rows * Math.abs(score - truth), 0) / all;
}

import { estimate, resample, type BootstrapOptions, type Estimate } from './bootstrap.ts';
import { brierScore, calibrationBins, calibrationError, type CalibrationBin } from './calibration.ts';
import { f1Of, precisionOf, recallOf, type Detection } from './detection.ts';
import { averagePrecision, countOf, rank, rocAuc, type Ranking, type Weights } from './ranking.ts';
import { thresholdTable, type ThresholdRow } from './threshold-table.ts';
import { LEVELS, type LabelVerdicts, type Level } from './verdicts.ts';

/** How well a label is flagged at one level of the policy. */
export interface LevelMeasures {
  /** The threshold; null where rows have different ones. */
  readonly threshold: number | null;
  /** Rows flagged. */
  readonly flagged: number;
  readonly precision: Estimate;
  readonly recall: Estimate;
  readonly f1: Estimate;
}

/** How good one label is over a group of rows. Figures that cannot be had are NaN (null in JSON). */
export interface Measures {
  /** Rows with a score and a known truth; the other figures are of these. */
  readonly rows: number;
  /** Those of which the label holds. */
  readonly positives: number;
  /** Rows with a known truth that were not scored: an unsupported language, a text without tokens. */
  readonly unscored: number;
  /** Those of them of which the label holds. */
  readonly unscored_positives: number;
  readonly auc: Estimate;
  readonly average_precision: Estimate;
  readonly brier: Estimate;
  readonly calibration_error: Estimate;
  /** Null where the policy never reaches the level. */
  readonly review: LevelMeasures | null;
  readonly block: LevelMeasures | null;
  readonly suggested: readonly ThresholdRow[];
  readonly calibration: readonly CalibrationBin[];
}

/** How much better the first of two sides is, over the rows that both scored. */
export interface Difference {
  readonly rows: number;
  readonly auc: Estimate;
  readonly average_precision: Estimate;
}

/** Measures one label over some rows, with intervals. Pure: the same options give the same figures. */
export function measure(
  rows: readonly number[],
  verdicts: LabelVerdicts,
  truth: Float32Array,
  options: BootstrapOptions,
): Measures {
  const ranking = rank(rows, verdicts.scores, truth);
  const { positives, rows: scored } = countOf(ranking, undefined);
  const known = rows.filter((row) => !Number.isNaN(truth[row]!));
  const levels = LEVELS.map((level) => flagsOf(ranking, verdicts, level));
  const figures = (weights: Weights) => [
    rocAuc(ranking, weights),
    averagePrecision(ranking, weights),
    brierScore(ranking, weights),
    calibrationError(ranking, weights),
    ...levels.flatMap((flags) => {
      if (flags === null) return [];
      const detection = detect(ranking, flags.flagged, weights);
      return [precisionOf(detection), recallOf(detection), f1Of(detection)];
    }),
  ];
  const estimates = estimateAll(figures, scored, (draw) => resample(scored, options, draw));
  const [auc, average, brier, calibration] = [estimates[0]!, estimates[1]!, estimates[2]!, estimates[3]!];
  let next = 4;
  const [review, block] = levels.map((flags): LevelMeasures | null => {
    if (flags === null) return null;
    const [precision, recall, f1] = [estimates[next]!, estimates[next + 1]!, estimates[next + 2]!];
    next += 3;
    const count = flags.flagged.reduce((sum, flag) => sum + flag, 0);
    return { threshold: flags.threshold, flagged: count, precision, recall, f1 };
  });
  return {
    rows: scored,
    positives,
    unscored: known.length - scored,
    unscored_positives: known.filter((row) => truth[row]! >= 0.5).length - positives,
    auc,
    average_precision: average,
    brier,
    calibration_error: calibration,
    review: review!,
    block: block!,
    suggested: thresholdTable(ranking),
    calibration: calibrationBins(ranking),
  };
}

/** Compares two sides on the same rows and the same resamples, so that chance that hits both is left out. Pure. */
export function compare(
  rows: readonly number[],
  [one, other]: readonly [LabelVerdicts, LabelVerdicts],
  truth: Float32Array,
  options: BootstrapOptions,
): Difference {
  const common = rows.filter((row) => !Number.isNaN(one.scores[row]!) && !Number.isNaN(other.scores[row]!));
  const rankings = [rank(common, one.scores, truth), rank(common, other.scores, truth)] as const;
  // A resample counts rows; each ranking has them in its own order.
  const order = new Map([...rankings[0].rows].sort((a, b) => a - b).map((row, place) => [row, place]));
  const sides = rankings.map((ranking) => ({
    ranking,
    places: Uint32Array.from(ranking.rows, (row) => order.get(row)!),
    weights: new Uint32Array(order.size),
  }));
  const figures = (drawn: Weights) => {
    const [a, b] = sides.map(({ ranking, places, weights }) => {
      if (drawn) for (let i = 0; i < places.length; i++) weights[i] = drawn[places[i]!]!;
      const own = drawn && weights;
      return [rocAuc(ranking, own), averagePrecision(ranking, own)] as const;
    });
    return [a![0] - b![0], a![1] - b![1]];
  };
  const count = order.size;
  const [auc, average] = estimateAll(figures, count, (draw) => resample(count, options, draw));
  return { rows: count, auc: auc!, average_precision: average! };
}

function estimateAll(
  figures: (weights: Weights) => number[],
  rows: number,
  draws: (visit: (weights: Uint32Array) => void) => void,
): Estimate[] {
  const values = figures(undefined);
  const resampled = values.map((): number[] => []);
  if (rows > 0) draws((weights) => figures(weights).forEach((figure, i) => resampled[i]!.push(figure)));
  return values.map((value, i) => estimate(value, resampled[i]!));
}

/** Which entries of a ranking reach a level; null where none ever could. */
function flagsOf(
  ranking: Ranking,
  verdicts: LabelVerdicts,
  level: Level,
): { readonly flagged: Uint8Array; readonly threshold: number | null } | null {
  const thresholds = Float32Array.from(ranking.rows, (row) => verdicts[level][row]!);
  if (!thresholds.some(Number.isFinite)) return null;
  return {
    flagged: Uint8Array.from(thresholds, (threshold, i) => (ranking.scores[i]! >= threshold ? 1 : 0)),
    threshold: thresholds.every((threshold) => threshold === thresholds[0])
      ? Number(thresholds[0]!.toPrecision(6))
      : null,
  };
}

function detect({ positive }: Ranking, flagged: Uint8Array, weights: Weights): Detection {
  let hits = 0;
  let alarms = 0;
  let misses = 0;
  for (let i = 0; i < positive.length; i++) {
    const weight = weights ? weights[i]! : 1;
    if (flagged[i] === 1) {
      if (positive[i] === 1) hits += weight;
      else alarms += weight;
    } else if (positive[i] === 1) misses += weight;
  }
  return { hits, alarms, misses };
}

import type { Band } from '../classify/band.ts';
import { f1Of } from '../evaluate/detection.ts';
import { rank, rocAuc } from '../evaluate/ranking.ts';
import type { Stages } from './stages.ts';

/** What one label loses in a cascade: figures of the second stage alone, and of both. */
export interface LabelLoss {
  readonly label: string;
  /** Texts whose truth is known. */
  readonly rows: number;
  /** `auc`, `review_f1`, `block_f1`: those that can be had. */
  readonly measures: readonly { readonly name: string; readonly second: number; readonly cascade: number }[];
}

/** What a band costs and saves. Shares are 0..1. */
export interface CascadeLoss {
  /** Texts that the first stage decides. */
  readonly share: number;
  /** Texts on which the cascade acts otherwise than the second stage alone. */
  readonly flips: number;
  readonly labels: readonly LabelLoss[];
  /** The largest loss of any measure where truth is known, else `flips`; never below 0. */
  readonly worst: number;
}

/** Measures what a band costs on texts that both stages have scored. Pure. */
export function measureLoss(stages: Stages, band: Band): CascadeLoss {
  const decided = new Uint8Array(stages.rows).fill(1);
  stages.labels.forEach((label, i) => keepOutside(decided, stages.first[i]!, band[label]!));
  let flips = 0;
  for (let row = 0; row < stages.rows; row++)
    if (decided[row] && actionOf(stages.firstLevels, row) !== actionOf(stages.secondLevels, row)) flips++;
  const labels = stages.labels.flatMap((label, i): LabelLoss[] => {
    const truth = stages.truth[i];
    if (!truth) return [];
    return [
      {
        label,
        rows: truth.filter((known) => !Number.isNaN(known)).length,
        measures: measuresOf(stages, i, truth, decided),
      },
    ];
  });
  const share = shareOf(decided);
  const worst =
    labels.length > 0 ? lossOf(labels.flatMap(({ measures }) => measures)) : flips / Math.max(1, stages.rows);
  return { share, flips: flips / Math.max(1, stages.rows), labels, worst };
}

/** What it would cost one label if the first stage decided its texts outside of these ends: see `CascadeLoss.worst`. Pure. */
export function measureEnd(stages: Stages, label: number, ends: readonly [number, number]): number {
  const decided = new Uint8Array(stages.rows).fill(1);
  keepOutside(decided, stages.first[label]!, ends);
  const truth = stages.truth[label];
  if (truth) return lossOf(measuresOf(stages, label, truth, decided));
  const differs = stages.firstLevels[label]!.map((level, row) =>
    decided[row] && level !== stages.secondLevels[label]![row] ? 1 : 0,
  );
  return shareOf(differs);
}

type Measure = LabelLoss['measures'][number];

function lossOf(measures: readonly Measure[]): number {
  return Math.max(0, ...measures.map(({ second, cascade }) => second - cascade));
}

function shareOf(flags: Uint8Array): number {
  return flags.reduce((sum, one) => sum + one, 0) / Math.max(1, flags.length);
}

/** Leaves marked only texts whose score lies outside, as createCascade decides. */
function keepOutside(decided: Uint8Array, scores: Float32Array, ends: readonly [number, number]): void {
  const [low, high] = ends.map(Math.fround) as [number, number];
  for (let row = 0; row < decided.length; row++)
    if (!(scores[row]! < low || scores[row]! > high)) decided[row] = 0;
}

function measuresOf(stages: Stages, label: number, truth: Float32Array, decided: Uint8Array): Measure[] {
  const [first, second] = [stages.first[label]!, stages.second[label]!];
  const [firstLevels, levels] = [stages.firstLevels[label]!, stages.secondLevels[label]!];
  const scores = second.map((score, row) => (decided[row] ? first[row]! : score));
  const mixed = levels.map((level, row) => (decided[row] ? firstLevels[row]! : level));
  const auc = (of: Float32Array) => rocAuc(rank(of.keys(), of, truth));
  return [
    { name: 'auc', second: auc(second), cascade: auc(scores) },
    ...(['review', 'block'] as const).map((name, level) => ({
      name: `${name}_f1`,
      second: f1At(levels, truth, level + 1),
      cascade: f1At(mixed, truth, level + 1),
    })),
  ].filter((measure) => !Number.isNaN(measure.second) && !Number.isNaN(measure.cascade));
}

function actionOf(levels: readonly Uint8Array[], row: number): number {
  return Math.max(...levels.map((column) => column[row]!));
}

function f1At(levels: Uint8Array, truth: Float32Array, level: number): number {
  let hits = 0;
  let alarms = 0;
  let misses = 0;
  for (let row = 0; row < levels.length; row++) {
    const known = truth[row]!;
    if (Number.isNaN(known)) continue;
    const holds = known >= 0.5;
    const flagged = levels[row]! >= level;
    if (flagged && holds) hits++;
    else if (flagged) alarms++;
    else if (holds) misses++;
  }
  return f1Of({ hits, alarms, misses });
}

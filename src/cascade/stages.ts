import type { Thresholds } from '../classify/thresholds.ts';

/** What the two stages of a cascade say of the same texts. Of arrays of arrays: one entry per label, then one per text. */
export interface Stages {
  readonly rows: number;
  readonly labels: readonly string[];
  /** Probabilities 0..1; NaN where a text was not scored. */
  readonly first: readonly Float32Array[];
  readonly second: readonly Float32Array[];
  /** What the second's thresholds make of the scores: 0 allow, 1 review, 2 block. */
  readonly firstLevels: readonly Uint8Array[];
  readonly secondLevels: readonly Uint8Array[];
  readonly thresholds: readonly Thresholds[];
  /** How true each label is, 0..1, NaN where nobody said; null for a label of which nothing is known. */
  readonly truth: readonly (Float32Array | null)[];
}

/** Joins the scores of two stages, per label, with the second's thresholds and what is known of the texts. Pure. */
export function createStages(options: {
  readonly labels: readonly string[];
  readonly first: readonly Float32Array[];
  readonly second: readonly Float32Array[];
  readonly thresholds: Readonly<Record<string, Thresholds>>;
  readonly truth: ReadonlyMap<string, Float32Array>;
}): Stages {
  const { labels, first, second } = options;
  const thresholds = labels.map((label) => options.thresholds[label] ?? {});
  const levels = (scores: readonly Float32Array[]) =>
    scores.map((column, label) => Uint8Array.from(column, (score) => levelOf(score, thresholds[label]!)));
  return {
    rows: first[0]?.length ?? 0,
    labels,
    first,
    second,
    firstLevels: levels(first),
    secondLevels: levels(second),
    thresholds,
    truth: labels.map((label) => options.truth.get(label) ?? null),
  };
}

/** Some rows of two stages, in the order given. Pure. */
export function pickRows(stages: Stages, rows: readonly number[]): Stages {
  const pick = <T extends Float32Array | Uint8Array>(column: T): T => {
    const Kind = column.constructor as new (values: number[]) => T;
    return new Kind(rows.map((row) => column[row]!));
  };
  return {
    ...stages,
    rows: rows.length,
    first: stages.first.map(pick),
    second: stages.second.map(pick),
    firstLevels: stages.firstLevels.map(pick),
    secondLevels: stages.secondLevels.map(pick),
    truth: stages.truth.map((column) => column && pick(column)),
  };
}

/** Float32 like the scores, so that 0.9 reaches 0.9. */
function levelOf(score: number, { review, block }: Thresholds): number {
  if (score >= Math.fround(block ?? Infinity)) return 2;
  return score >= Math.fround(review ?? Infinity) ? 1 : 0;
}

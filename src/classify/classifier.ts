import type { Thresholds } from './thresholds.ts';

/** What a classifier says of a list of texts. */
export interface Scores {
  /** texts × labels, row-major, probabilities 0..1; NaN in the rows that were not scored (poison, no tokens). */
  readonly scores: Float32Array;
  /** Texts that made the model fail by themselves, with the reason; never the text itself. */
  readonly poison: readonly { readonly row: number; readonly detail: string }[];
  /** Tokens given to the model, padding included, and how many of them were padding. */
  readonly tokens: number;
  readonly padding: number;
  /** Texts by how they were answered, where not by the model itself: `duplicate`, `first_stage` …; bounded names. */
  readonly counts: Readonly<Record<string, number>>;
  /** Seconds spent, by part. */
  readonly seconds: { readonly tokenise: number; readonly infer: number };
}

/**
 * Texts in, scores out. Implementations pass test/contract/classifier.ts: one row of scores per text in the order
 * given; a text's scores do not depend on its neighbours beyond the precision of the model; any string is accepted.
 */
export interface Classifier {
  /** Labels in the order of the score columns; empty when nothing scores. */
  readonly labels: readonly string[];
  /** `name@version`, or null when nothing scores. */
  readonly model: string | null;
  /** The model's own policy, by label; {} where it recommends none. */
  readonly thresholds: Readonly<Record<string, Thresholds>>;
  /** Where it differs by language: primary subtag (`de`) → label → thresholds. */
  readonly languageThresholds: Readonly<Record<string, Readonly<Record<string, Thresholds>>>>;
  /** Languages that it can judge, as primary subtags; undefined: any, or not known. */
  readonly languages: ReadonlySet<string> | undefined;
  /** What computes the scores: an execution provider such as `cuda`, or the address of a server; absent: this thread's own code. */
  readonly runsOn?: string;
  /** Scores texts. Calls may overlap: they run one after the other. Rejects only with a bug: a text that cannot be scored is poison. */
  readonly score: (texts: readonly string[]) => Promise<Scores>;
  /** Frees the model. */
  readonly close: () => Promise<void>;
}

/** What one side, a model or a whole configuration with its policies, says of labelled data. Index i: row i. */
export interface Verdicts {
  /** `name@version` of the model; several are joined by ` + `. */
  readonly model: string;
  /** Id of the default policy. */
  readonly policy: string;
  /** Label → what it says of each row. */
  readonly labels: ReadonlyMap<string, LabelVerdicts>;
  /** Index into ACTIONS of each row. */
  readonly actions: Uint8Array;
  /** Language of each row: its own, else detected, else null. */
  readonly language: readonly (string | null)[];
  /** Rows that made the model fail. */
  readonly poison: number;
}

/** One label's scores, and the thresholds that each row's policy and language have for it. */
export interface LabelVerdicts {
  /** 0..1, NaN where the row was not scored. */
  readonly scores: Float32Array;
  /** Infinity where the level is never reached. */
  readonly review: Float32Array;
  readonly block: Float32Array;
}

/** Labels that flag: the levels of a policy above `allow`. */
export const LEVELS = ['review', 'block'] as const;

/** See {@link LEVELS}. */
export type Level = (typeof LEVELS)[number];

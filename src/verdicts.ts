/** What classify says of rows, as it passes to the archive, the sinks and the metrics. */

/** What the classifier and the policy say of each row of a DecodedBatch. */
export interface VerdictBatch {
  /** Labels of all models that decide, in their order; empty when nothing scores. */
  readonly labels: readonly string[];
  /** rows × labels, row-major, probabilities 0..1; NaN where a row was not scored for a label. */
  readonly scores: Float32Array;
  /** Index into ACTIONS for each row. */
  readonly actions: Uint8Array;
  /** Labels that made the action what it is, worst first, or the one fact that did; null when none. */
  readonly reasons: (string[] | null)[];
  /** The threshold that each of a row's reasons reached; 1 for a fact, whose score is 1 too. */
  readonly thresholds: (number[] | null)[];
  /** Language of each row: the message's own, else detected, else null. */
  readonly language: (string | null)[];
  /** Models that scored, as `name@version`, joined by commas; null when nothing scored. They scored every row, unless: */
  readonly model: string | null;
  /** Models that scored each row; present when not all rows went to the same. */
  readonly models?: readonly (string | null)[];
  /** Default policy as `name@version` or `name@digest`; null when nothing scored. It decided every row, unless: */
  readonly policy: string | null;
  /** Policy that decided each row; present when customers have policies of their own. */
  readonly policies?: readonly string[];
  /** Rows that made the model fail by themselves: taken out of the batch, dead-lettered. */
  readonly poison: { readonly row: number; readonly detail: string }[];
  /** Seconds spent, by part. */
  readonly seconds: {
    readonly language: number;
    readonly tokenise: number;
    readonly infer: number;
    readonly policy: number;
  };
  /** Tokens given to the models, padding included, and how many of them were padding. */
  readonly tokens: number;
  readonly padding: number;
  /** What each configured model did; absent when nothing scores. */
  readonly work?: readonly ModelWork[];
  /** What shadow models say; absent when there are none. */
  readonly shadow?: ShadowVerdicts;
}

/** What one of the configured models did with a batch. */
export interface ModelWork {
  /** Its name in the configuration. */
  readonly name: string;
  /** `name@version` */
  readonly model: string;
  readonly role: 'decide' | 'shadow';
  /** Rows that it was given. */
  readonly texts: number;
  /** Of these, rows that made it fail by themselves. */
  readonly poison: number;
  readonly tokens: number;
  readonly padding: number;
  /** Texts by how they were answered, where not by the model itself; bounded names. */
  readonly counts: Readonly<Record<string, number>>;
  readonly seconds: { readonly tokenise: number; readonly infer: number };
  /** Of a shadow: rows that it would have decided otherwise, by `decided>otherwise`, such as `allow>block`. */
  readonly disagreements: Readonly<Record<string, number>>;
  /** Of a shadow: why it scored nothing of the batch. */
  readonly failure?: string;
}

/** What shadow models say of each row of a batch: null where none scored it. They decide nothing. */
export interface ShadowVerdicts {
  /** Flat [model, action, model, action …]: what would have been done with the model in place of those with its labels. */
  readonly actions: readonly (string[] | null)[];
  readonly scores: readonly (ScoreMap | null)[];
}

/** Scores by name: `values[i]` is that of `keys[i]`. */
export interface ScoreMap {
  readonly keys: readonly string[];
  readonly values: Float32Array;
}

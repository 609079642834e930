/** One part of Sluice, or a limit of the machine, that is measured alone in a process of its own. */
export interface Stage {
  /** Messages, or what else the measurement counts, of one run. */
  readonly count: number;
  /** Does the work once. What comes out, where that is of interest. */
  run(): Promise<StageOutcome | undefined>;
  close?(): Promise<void>;
}

/** What one run of a stage gave. */
export interface StageOutcome {
  readonly bytesOut?: number;
  readonly files?: number;
  readonly requests?: number;
  readonly more?: Readonly<Record<string, number>>;
}

/** Makes inputs and whatever a stage needs; none of it is measured. */
export type OpenStage = () => Promise<Stage>;

/** What one round of a measurement saw. Counts are whole numbers; a figure that was not taken is absent. */
export interface Sample {
  /** Messages, or whatever the measurement counts (its `unit`), that were worked on. */
  readonly count: number;
  /** Wall time, in seconds. */
  readonly seconds: number;
  /** CPU time of the measured process and all that it started, in seconds. */
  readonly cpuSeconds: number;
  /** Largest memory of these processes together, in bytes. */
  readonly peakRss?: number;
  /** Bytes and number of the files that came out. */
  readonly bytesOut?: number;
  readonly files?: number;
  /** S3 requests that were made. */
  readonly requests?: number;
  /** Messages that came out in no row, and rows that repeat a message. */
  readonly lost?: number;
  readonly twice?: number;
  /** CPU time of the broker and of the S3 server meanwhile, in seconds. */
  readonly serverCpuSeconds?: number;
  /** Share of the machine, 0 to 1, that processes of others took meanwhile. */
  readonly others?: number;
  /** Further figures by name with unit, such as `p99 ms`. */
  readonly more?: Readonly<Record<string, number>>;
}

/** Something that is measured in rounds. */
export interface Measurement {
  /** Names its file of results: letters, digits, dots and dashes. */
  readonly name: string;
  /** Label of its row. */
  readonly title: string;
  /** What a sample counts: `messages`, `texts`, `files`. */
  readonly unit: string;
  /** What it was given; other parameters make another measurement. */
  readonly parameters: Readonly<Record<string, number | string>>;
  /** Versions of what is measured; samples of different versions are never mixed. */
  readonly versions: Readonly<Record<string, string>>;
  /** Runs before the first round, so that caches are filled and compilers have seen the code; its figures are dropped. */
  warmUp?(): Promise<unknown>;
  /** One round, counted from 0. */
  sample(round: number): Promise<Sample>;
}

/** Measurements that take turns, so that a busy minute of the machine meets all of them. */
export interface Suite {
  readonly name: string;
  readonly measurements: readonly Measurement[];
  /** Ends what opening it started. */
  close(): Promise<void>;
}

/** What the command line asks of a suite. */
export interface SuiteOptions {
  /** Messages of each measurement instead of its own number. */
  readonly messages?: number | undefined;
  /** Names of the only measurements to take. */
  readonly only?: readonly string[] | undefined;
  /** A JSONL file of real texts (`text`), for suites that can use them. */
  readonly texts?: string | undefined;
}

/** Whether a measurement was asked for. */
export function isWanted(name: string, { only }: SuiteOptions): boolean {
  return only === undefined || only.includes(name);
}

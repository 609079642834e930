/** What a dead letter says of itself beside its fields; DeadLetter in types.ts has those. */
import { MisconfiguredError } from '../errors.ts';
import type { DeadLetter } from '../types.ts';

/** Headers of a message that was sent back: the id of its dead letter, when (ISO 8601), and how many times by now. */
export const REDRIVEN = {
  id: 'sluice-redriven',
  at: 'sluice-redriven-at',
  times: 'sluice-redriven-times',
} as const;

/** `topic-partition-offset` of the message: the id of its decision, too. */
export function idOf({ topic, partition, offset }: DeadLetter): string {
  return `${topic}-${partition}-${offset}`;
}

/** The sink that refused a decision; undefined for a message. */
export function sinkOf({ stage, headers }: DeadLetter): string | undefined {
  return stage === 'deliver' ? headerText(headers, 'sluice-sink') : undefined;
}

/** What tells letters apart: several sinks may have refused one decision, whose id is that of its message. */
export function keyOf(letter: DeadLetter): string {
  const sink = sinkOf(letter);
  return sink === undefined ? idOf(letter) : `${idOf(letter)} ${sink}`;
}

/** How many times the message was sent back before it became this letter. */
export function timesOf({ headers }: DeadLetter): number {
  const times = Number(headerText(headers, REDRIVEN.times) ?? 0);
  return Number.isSafeInteger(times) && times > 0 ? times : 0;
}

/** Whether only the beginning of the message was kept; decode.ts and the file source say so. */
export function isTruncated({ code, detail }: DeadLetter): boolean {
  return code === 'too_large' && /; only the first \d+ are kept$/.test(detail);
}

/** Day of receipt, UTC: `YYYY-MM-DD`. */
export function dayOf({ receivedAt }: DeadLetter): string {
  return new Date(receivedAt).toISOString().slice(0, 10);
}

/** A folder of dead letters, or a topic of them. */
export interface Letters {
  /** Where they are: a path, an `s3://` URI, a topic. */
  readonly description: string;
  /**
   * Hands over all letters that may have been received in the time, one at a time (those of a topic as they come, repeats
   * left out), until `signal` is aborted. What `each` throws ends it. Throws RetryableError when nobody answers for a while,
   * CorruptError for a damaged file.
   */
  read(options: ReadOptions): Promise<void>;
}

/** See {@link Letters}. */
export interface ReadOptions {
  /** Milliseconds UTC: from the first to before the second. */
  readonly received: { readonly since: number; readonly until: number };
  readonly each: (letter: DeadLetter) => Promise<void>;
  /** Parts of the whole that were read, and the whole: bytes, or offsets. */
  readonly onProgress: (done: number, total: number) => void;
  readonly signal: AbortSignal;
}

function headerText(headers: DeadLetter['headers'], name: string): string | undefined {
  const value = headers && Object.hasOwn(headers, name) ? headers[name] : undefined;
  return value && Buffer.from(value).toString();
}

/** A value of the command line that is not as expected. */
export function refused(option: string, expected: string, got: string): MisconfiguredError {
  return new MisconfiguredError(`${option}: expected ${expected}, got ${got}`);
}

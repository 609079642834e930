/** The kinds of failure. Anything that is none of these is a bug: it is logged with its stack and ends the process. */

/** What an operator can meet and mend: shown as one line. Anything else is a bug, and shown with its stack. */
export class OperationalError extends Error {}

/** Try again later, with backoff: a time-out, a server that answers 503. */
export class RetryableError extends OperationalError {
  override name = 'RetryableError';
}

/** A server that scores is away, overloaded or refuses everything: its batch waits, and is classified again from the start. */
export class UnavailableError extends RetryableError {
  override name = 'UnavailableError';
}

/** The configuration, or what it points to, cannot work: refuse to start. Messages say what was expected, what came and where. */
export class MisconfiguredError extends OperationalError {
  override name = 'MisconfiguredError';
}

/** The assignment under which a commit was made is no longer current: its buffers belong to another process now. */
export class FencedError extends OperationalError {
  override name = 'FencedError';
  /** Whether an attempt that was never answered may have been committed all the same: then nothing may be discarded. */
  readonly mayHaveCommitted: boolean;

  constructor(message: string, options: ErrorOptions & { readonly mayHaveCommitted?: boolean } = {}) {
    super(message, options);
    this.mayHaveCommitted = options.mayHaveCommitted ?? false;
  }
}

/** Input could not be read (a missing file, a damaged gzip stream): stop, keep what is archived. */
export class InputError extends OperationalError {
  override name = 'InputError';
}

/** The archive could not be written (disk full, permission, bucket gone): stop, keep what is archived. */
export class StoreError extends OperationalError {
  override name = 'StoreError';
}

/** A sink, or the server of a model, did not answer until the time for it was over. What it was not told is not settled. */
export class AbandonedError extends OperationalError {
  override name = 'AbandonedError';
}

/** Something that Sluice wrote itself does not read back as written: a manifest, a position file. */
export class CorruptError extends OperationalError {
  override name = 'CorruptError';
}

/** A committed transaction names a file that is neither prepared nor published. */
export class LostFileError extends OperationalError {
  override name = 'LostFileError';
}

/** A worker did not answer within its limit; the process must stop without committing and be restarted. */
export class HungError extends OperationalError {
  override name = 'HungError';
}

/** The worker that ran a task died under it (crash, exit, out of memory); the task may be tried again. */
export class WorkerDiedError extends OperationalError {
  override name = 'WorkerDiedError';
}

/** Too many dead letters in a row: the lane stops instead of dead-lettering a whole topic. */
export class TooManyDeadLettersError extends OperationalError {
  override name = 'TooManyDeadLettersError';
}

/** Whether an error is one of ours; see {@link OperationalError}. */
export function isOperational(error: unknown): error is Error {
  return error instanceof OperationalError;
}

/** Any thrown value as an Error: itself, where it is one. */
export function errorOf(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

/** The message of any thrown value. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

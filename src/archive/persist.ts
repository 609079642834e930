import pRetry from 'p-retry';
import { FencedError, RetryableError, messageOf } from '../errors.ts';

/** A store that could not do its work for now, and is asked again. */
export interface StoreRetry {
  /** What was tried: `prepare`, `publish`, `manifest` … */
  readonly operation: string;
  /** What it was tried on: a key, a transaction. */
  readonly subject: string;
  readonly attempt: number;
  readonly error: string;
}

/** How {@link createPersist} waits. */
export interface PersistOptions {
  /** Aborted when nobody needs the result any more. */
  readonly signal: AbortSignal;
  readonly onRetry?: ((retry: StoreRetry) => void) | undefined;
  /** Milliseconds before the second attempt, doubled each time up to five seconds, with jitter. */
  readonly backoff?: number | undefined;
}

/** Runs work on a store until it is done. */
export type Persist = <Result>(
  operation: string,
  subject: string,
  work: () => Promise<Result>,
) => Promise<Result>;

/**
 * Tries again for as long as it takes while a store answers with RetryableErrors: what waits for it keeps its memory, the
 * budget fills, and the source is not read on. Other errors are thrown at once; after an abort its reason is when that is a FencedError, else the last one.
 */
export function createPersist({ signal, onRetry, backoff = 200 }: PersistOptions): Persist {
  return async (operation, subject, work) => {
    let last: unknown;
    try {
      return await pRetry(work, {
        retries: Infinity,
        minTimeout: backoff,
        maxTimeout: Math.max(backoff, 5_000),
        randomize: true,
        signal,
        onFailedAttempt: ({ error }) => {
          last = error;
        },
        shouldRetry: ({ error, attemptNumber }) => {
          if (!(error instanceof RetryableError)) return false;
          onRetry?.({ operation, subject, attempt: attemptNumber, error: messageOf(error) });
          return true;
        },
      });
    } catch (error) {
      // An assignment that ended is no failure of the store; who gave up on it wants to know what it last said.
      if (signal.aborted && !(signal.reason instanceof FencedError)) throw last ?? error;
      throw error;
    }
  };
}

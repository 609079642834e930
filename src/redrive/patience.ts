import pRetry from 'p-retry';
import { RetryableError } from '../errors.ts';
import { createWaitingNote } from '../waiting.ts';

/** Some 20 seconds, with waits of 0.25 to 5; where no answer is long in coming, a minute. */
const PATIENCE = { retries: 7, minTimeout: 250, maxTimeout: 5000, maxRetryTime: 60_000, randomize: true };

/**
 * Does it again while it fails with a RetryableError, which it throws when servers stay away; says on standard error that it
 * waits.
 */
export function persistently<Result>(work: () => Promise<Result>): Promise<Result> {
  const note = createWaitingNote();
  return pRetry(work, {
    ...PATIENCE,
    shouldRetry({ error }) {
      const mayPass = error instanceof RetryableError;
      if (mayPass) note(error);
      return mayPass;
    },
  });
}

import pRetry from 'p-retry';
import { RetryableError } from '../errors.ts';

/** Some 20 seconds, with waits of 0.25 to 5. */
const PATIENCE = { retries: 7, minTimeout: 250, maxTimeout: 5000, randomize: true };

/** Does it again while it fails with a RetryableError, which it throws when servers stay away. */
export function persistently<Result>(work: () => Promise<Result>): Promise<Result> {
  return pRetry(work, { ...PATIENCE, shouldRetry: ({ error }) => error instanceof RetryableError });
}

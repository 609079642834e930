import pRetry from 'p-retry';
import { RetryableError } from '../errors.ts';

/** Asks a store or a source a question, again while it only cannot answer for now. */
export type Ask = <Result>(question: () => Promise<Result>) => Promise<Result>;

/**
 * Asks seven times in all, then throws the last RetryableError; other errors at once. Someone waits for the answer, so not
 * for as long as it takes, unlike what writes the archive. `backoff`: milliseconds before the second time, then doubled.
 */
export function createAsk(backoff = 500): Ask {
  return (question) =>
    pRetry(question, {
      retries: 6,
      minTimeout: backoff,
      shouldRetry: ({ error }) => error instanceof RetryableError,
    });
}

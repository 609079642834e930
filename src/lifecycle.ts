import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import pRetry from 'p-retry';
import { RetryableError, StoreError, messageOf } from './errors.ts';

/** How long a start waits for servers that do not answer, milliseconds. */
const START_PATIENCE = 60_000;

/**
 * Runs a check again while its failure was only that nobody answered: servers may start later than this process, or be away
 * for a moment, which is no reason to end, as a wrong password is. Gives up after a minute, or when stopped.
 */
export function patiently<Result>(
  check: () => Promise<Result>,
  options: { readonly signal: AbortSignal; readonly onDelay: (error: Error) => void },
): Promise<Result> {
  return pRetry(check, {
    retries: Infinity,
    minTimeout: 500,
    maxTimeout: 5_000,
    maxRetryTime: START_PATIENCE,
    signal: options.signal,
    shouldRetry({ error }) {
      const mayPass = error instanceof RetryableError || error.cause instanceof RetryableError;
      if (mayPass) options.onDelay(error);
      return mayPass;
    },
  });
}

/** The time that a pipeline has for its last flush once it was told to stop. */
export interface StopDeadline {
  /** The error of a pipeline that took longer, or undefined when it did not; `failure` is what it failed with then. */
  error(failure: unknown): StoreError | undefined;
  /** It has ended: no more deadline. */
  clear(): void;
}

/** Calls `giveUp` when `limit` milliseconds have passed since `signal` was aborted. */
export function stopDeadline(signal: AbortSignal, limit: number, giveUp: () => void): StopDeadline {
  let passed = false;
  let timer: NodeJS.Timeout | undefined;
  const start = () => {
    timer = setTimeout(() => {
      passed = true;
      giveUp();
    }, limit);
  };
  if (signal.aborted) start();
  else signal.addEventListener('abort', start, { once: true });
  return {
    clear: () => clearTimeout(timer),
    error(failure) {
      if (!passed) return undefined;
      const reason = failure === undefined ? '' : `: ${messageOf(failure)}`;
      return new StoreError(
        `the last flush did not end within stop_timeout (${limit / 1000} s); the next run reads again what it did not commit${reason}`,
      );
    },
  };
}

/** Resolves when a signal is aborted. */
export async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}

/** Resolves as `work` does, or after `limit` milliseconds. */
export async function within(limit: number, work: Promise<unknown>): Promise<void> {
  const timer = new AbortController();
  try {
    await Promise.race([work, delay(limit, undefined, { signal: timer.signal })]);
  } finally {
    timer.abort();
  }
}

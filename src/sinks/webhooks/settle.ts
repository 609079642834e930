import pRetry from 'p-retry';
import type { WebhooksConfig } from './config.ts';
import type { Outcome } from './outcome.ts';
import { AttemptError, LOCK_MILLIS, patienceOf, type DeliveryJob } from './queue.ts';
import { retryDelay } from './schedule.ts';

/** What one request was, for the jobs that it carried. */
export interface Attempt {
  readonly outcome: Outcome;
  /** The status, or why there was none. */
  readonly result: string;
  readonly detail: string;
  readonly millis: number;
  /** When it began, milliseconds UTC. */
  readonly startedAt: number;
  /** 0 to 1, the same for all jobs of a request: what failed together comes back together. */
  readonly random: number;
}

/** What became of a job. */
export interface Settled {
  /** `lost`: its lock has passed to another process, which sends it again. */
  readonly became: 'delivered' | 'waiting' | 'retrying' | 'exhausted' | 'lost';
  /** The next job as BullMQ gives it out, where `fetchNext` asked for one. */
  readonly next?: unknown;
}

/** What makes BullMQ fail a job instead of delaying it. */
const NO_RETRY = -1;
/** BullMQ's codes of a job that is not ours any more: no job, no lock, not active, another's lock. */
const LOST_CODES: readonly unknown[] = [-1, -2, -3, -6];

/**
 * Tells Redis what became of a job that was sent: asked again while Redis does not answer, as long as the job may still be ours.
 * Each job has its own attempts. A receiver that says when to come back uses up no attempt, up to the length of the schedule.
 */
export async function settle(
  job: DeliveryJob,
  attempt: Attempt,
  options: {
    readonly config: WebhooksConfig;
    readonly signal: AbortSignal;
    /** Whether the step that completes a job takes the next one too: half of the round trips. */
    readonly fetchNext: boolean;
  },
): Promise<Settled> {
  const { config, signal, fetchNext } = options;
  const { outcome, startedAt, millis, result, detail, random } = attempt;
  const token = job.token ?? '';
  const at = new Date(startedAt).toISOString();
  const entry = { at, attempt: job.attemptsMade + 1, result, millis, ...(detail === '' ? {} : { detail }) };

  const isPutOff =
    outcome.kind === 'gone' || (outcome.kind === 'held' && startedAt - job.timestamp < patienceOf(config));
  // The job remembers how many attempts it had when it was queued; the schedule may be shorter now.
  const isLast = job.attemptsMade + 1 >= (job.opts.attempts ?? 1);
  const delay = isLast ? undefined : retryDelay(config.retry, job.attemptsMade + 1, random);
  const wait = outcome.kind === 'held' ? outcome.millis : 0;

  async function tell(): Promise<Settled> {
    if (outcome.kind === 'delivered') {
      const next: unknown = await job.moveToCompleted(entry, token, fetchNext);
      return { became: 'delivered', next };
    }
    await job.log(JSON.stringify(entry));
    if (isPutOff) {
      await job.moveToWait(token);
      return { became: 'waiting' };
    }
    const reason = detail === '' ? result : `${result}: ${detail}`;
    await job.moveToFailed(
      new AttemptError(reason, delay === undefined ? NO_RETRY : Math.max(wait, delay)),
      token,
      false,
    );
    return { became: delay === undefined ? 'exhausted' : 'retrying' };
  }

  try {
    return await pRetry(tell, {
      retries: Infinity,
      minTimeout: 100,
      maxTimeout: 1_000,
      maxRetryTime: 2 * LOCK_MILLIS,
      signal,
      shouldRetry: ({ error }) => !LOST_CODES.includes(Reflect.get(error, 'code')),
    });
  } catch {
    // Whatever it was: the lock runs out, and the job is sent again by whoever finds it.
    return { became: 'lost' };
  }
}

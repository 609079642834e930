import { ErrorCode } from 'bullmq';
import type { DeliveryJob } from './queue.ts';
import { jobIdOf, openQueue, wakeChannel, type EndpointPlace } from './queue.ts';

/** Which decisions are sent again. Exactly one way is given. */
export type Selection =
  | { readonly ids: readonly string[] }
  /** Those whose last attempt failed. */
  | { readonly failed: true }
  /** Those decided from `since` to before `until`, milliseconds UTC, delivered or not. */
  | { readonly since: number; readonly until: number };

/** What a redelivery came to. */
export interface Redelivery {
  /** Ids that are sent again, oldest first. */
  readonly ids: readonly string[];
  /** Asked for and not there: never sent, or no longer remembered. */
  readonly missing: readonly string[];
  /** Asked for and on their way already. */
  readonly underway: readonly string[];
}

const PAGE = 500;

/** A decision that is sent again is a new one for those who are patient; a job that was forgotten meanwhile is not made again. */
const RESTAMP = `if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('HSET', KEYS[1], 'timestamp', ARGV[1]) end`;

/**
 * Sends decisions to an endpoint again, with the ids and, from the first on, the attempts of a new one. Decisions that wait for
 * their next attempt are sent now. With `dryRun` nothing is changed.
 */
export async function redeliver(
  place: EndpointPlace,
  selection: Selection,
  { dryRun }: { readonly dryRun: boolean },
): Promise<Redelivery> {
  const queue = openQueue(place, { readOnly: true });
  const ids: string[] = [];
  const missing: string[] = [];
  const underway: string[] = [];

  async function again(job: DeliveryJob): Promise<void> {
    const state = await job.getState();
    const { id } = job.data;
    const isFinished = state === 'completed' || state === 'failed';
    if (!isFinished && state !== 'delayed') {
      (state === 'unknown' ? missing : underway).push(id);
      return;
    }
    try {
      if (!dryRun) {
        await place.redis.eval(RESTAMP, 1, queue.toKey(jobIdOf(id)), Date.now());
        if (isFinished) await job.retry(state, { resetAttemptsMade: true, resetAttemptsStarted: true });
        else await job.promote();
      }
      ids.push(id);
    } catch (error) {
      const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined;
      if (code === ErrorCode.JobNotInState) underway.push(id);
      else if (code === ErrorCode.JobNotExist) missing.push(id);
      else throw error;
    }
  }

  /** Adds every job of a set that is wanted. By cursor: pages would shift while jobs are forgotten, and skip some. */
  async function find(
    state: 'completed' | 'failed' | 'delayed',
    found: Map<string, DeliveryJob>,
  ): Promise<void> {
    let cursor = '0';
    do {
      const [next, members] = await place.redis.zscan(queue.toKey(state), cursor, 'COUNT', PAGE);
      cursor = next;
      // Members and scores by turns.
      const jobs = members.flatMap((id, index) => (index % 2 === 0 ? [queue.getJob(id)] : []));
      for (const job of await Promise.all(jobs))
        if (job?.id !== undefined && isWanted(job, selection)) found.set(job.id, job);
    } while (cursor !== '0');
  }

  try {
    if ('ids' in selection) {
      for (const id of selection.ids) {
        const job = await queue.getJob(jobIdOf(id));
        if (job) await again(job);
        else missing.push(id);
      }
    } else {
      const states =
        'failed' in selection ? (['failed'] as const) : (['completed', 'failed', 'delayed'] as const);
      // Found first, moved afterwards; one whose state changes meanwhile may be found twice.
      const found = new Map<string, DeliveryJob>();
      for (const state of states) await find(state, found);
      const jobs = [...found.values()].toSorted((a, b) => (a.data.decided_at < b.data.decided_at ? -1 : 1));
      for (const job of jobs) await again(job);
    }
    if (!dryRun && ids.length > 0)
      await place.redis.publish(wakeChannel(place.prefix, place.sink), place.endpoint);
    return { ids, missing, underway };
  } finally {
    await queue.close();
  }
}

function isWanted({ data }: DeliveryJob, selection: Selection): boolean {
  if (!('since' in selection)) return true;
  const at = Date.parse(data.decided_at);
  return at >= selection.since && at < selection.until;
}

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
  /** Asked for by id and not there: never sent, or no longer remembered. */
  readonly missing: readonly string[];
  /** Asked for and on their way already. */
  readonly underway: readonly string[];
}

const PAGE = 500;

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
    if (state === 'completed' || state === 'failed') {
      if (!dryRun) await job.retry(state, { resetAttemptsMade: true, resetAttemptsStarted: true });
      ids.push(id);
    } else if (state === 'delayed') {
      if (!dryRun) await job.promote();
      ids.push(id);
    } else underway.push(id);
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
      const found: DeliveryJob[] = [];
      for (const state of states) {
        // Found first, moved afterwards: moving shifts the pages.
        for (let from = 0; ; from += PAGE) {
          const page = await queue.getJobs([state], from, from + PAGE - 1, true);
          found.push(...page.filter((job) => job !== undefined && isWanted(job, selection)));
          if (page.length < PAGE) break;
        }
      }
      found.sort((a, b) => (a.data.decided_at < b.data.decided_at ? -1 : 1));
      for (const job of found) await again(job);
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

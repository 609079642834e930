import { setImmediate } from 'node:timers/promises';
import { Job, type JobJson, type Worker } from 'bullmq';
import type { Decision } from '../../decision.ts';
import { LOCK_MILLIS, type DeliveryJob } from './queue.ts';

/** The jobs of one endpoint that this process has taken and not settled. */
export interface Held {
  /** Locks are renewed, and those of dead processes looked for, from now on. */
  start(): void;
  /** The next job, or undefined when there is none to have now. */
  take(): Promise<DeliveryJob | undefined>;
  /** The job that BullMQ gave out in the step that settled another, under that one's token; undefined when there was none. */
  adopt(next: unknown, token: string): DeliveryJob | undefined;
  /** It is settled. */
  release(job: DeliveryJob): void;
  /** Gives it back as it was. */
  putBack(job: DeliveryJob): Promise<void>;
  close(): void;
}

/** Takes jobs under locks that last as long as this process lives, and little longer. */
export function createHeld(options: {
  readonly worker: Worker<Decision, unknown>;
  readonly onLost: (id: string) => void;
}): Held {
  const { worker, onLost } = options;
  const jobs = new Map<string, DeliveryJob>();
  let taken = 0;
  let timer: NodeJS.Timeout | undefined;

  async function renew(): Promise<void> {
    const ids = [...jobs.keys()];
    if (ids.length === 0) return;
    const tokens = ids.map((id) => jobs.get(id)?.token ?? '');
    const gone = await worker.extendJobLocks(ids, tokens, LOCK_MILLIS);
    // A job that was settled in the same moment has no lock either; whoever waits for that knows it by the next turn.
    await setImmediate();
    for (const id of gone) {
      const job = jobs.get(id);
      if (job) onLost(job.data.id);
    }
  }

  function adopt(next: unknown, token: string): DeliveryJob | undefined {
    const [json, id] = (next ?? []) as [(JobJson | null)?, string?];
    if (!json || id === undefined) return undefined;
    const job = Job.fromJSON<Decision, unknown>(worker, json, id);
    job.token = token;
    jobs.set(id, job);
    return job;
  }

  return {
    start() {
      // A renewal that fails is made again; a lock that runs out meanwhile only means that it is sent twice.
      timer = setInterval(() => void renew().catch(() => undefined), LOCK_MILLIS / 4);
      worker.startStalledCheckTimer().catch(() => undefined);
    },
    async take() {
      const token = `${worker.id}:${taken++}`;
      // Not getNextJob: the worker would go on believing in a hold that has ended before its time.
      return adopt(await worker.getBackend().moveToActive(token), token);
    },
    adopt,
    release(job) {
      if (job.id !== undefined) jobs.delete(job.id);
    },
    async putBack(job) {
      if (job.id !== undefined) jobs.delete(job.id);
      // Without an answer the lock runs out by itself.
      await job.moveToWait(job.token ?? '').catch(() => undefined);
    },
    close() {
      clearInterval(timer);
    },
  };
}

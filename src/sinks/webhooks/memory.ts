import type { Redis } from 'ioredis';
import { RetryableError } from '../../errors.ts';

/** Above this share of its memory Redis is given nothing more: BullMQ's steps that take and settle jobs need room too. */
const FULL = 0.8;
/** Above this share what was delivered is forgotten early: delivered jobs are larger than those that wait. */
const TIGHT = 0.7;
/** Above this share it is read before each batch. */
const WATCHED = 0.5;
/** How long a reading is believed below that: milliseconds, and jobs added meanwhile. */
const READING_MILLIS = 1_000;
const READING_JOBS = 500;

/** The share of its `maxmemory` that Redis uses: 0 when it has no limit, above 1 when it takes no writes any more. */
async function memoryShare(redis: Redis): Promise<number> {
  const info = await redis.info('memory');
  const field = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1] ?? 0);
  const most = field('maxmemory');
  return most === 0 ? 0 : field('used_memory') / most;
}

/** Whether what was delivered should be forgotten before its time. */
export async function isTight(redis: Redis): Promise<boolean> {
  return (await memoryShare(redis)) > TIGHT;
}

/**
 * Makes the check that there is room for so many jobs in Redis: throws RetryableError when there is not. A Redis that is full gives out no
 * jobs either, so that it would stay full for ever. `where`: what it is called in errors.
 */
export function createRoomCheck(redis: Redis, where: string): (jobs: number) => Promise<void> {
  let read = { at: -Infinity, share: 0, added: 0 };
  return async (jobs) => {
    const isOld = read.at + READING_MILLIS < performance.now() || read.added > READING_JOBS;
    if (isOld || read.share > WATCHED)
      read = { at: performance.now(), share: await memoryShare(redis), added: 0 };
    read.added += jobs;
    if (read.share <= FULL) return;
    throw new RetryableError(
      `${where}: expected at most ${FULL * 100} % of maxmemory to be used, got ${Math.round(read.share * 100)} %: nothing is added until what waits is delivered; give Redis more memory, or enable or mend the endpoints that wait`,
    );
  };
}

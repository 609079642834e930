/** Share by which a wait is made shorter or longer, so that what failed together does not come back all at once. */
const JITTER = 0.1;

/**
 * Milliseconds until the next attempt after `attempts` failed ones; undefined when that was the last. `random`: 0 to 1.
 */
export function retryDelay(
  schedule: readonly number[],
  attempts: number,
  random: number,
): number | undefined {
  const wait = schedule[attempts - 1];
  return wait === undefined ? undefined : Math.round(wait * (1 - JITTER + 2 * JITTER * random));
}

/** How long a decision is tried at most, milliseconds. */
export function scheduleLength(schedule: readonly number[]): number {
  return schedule.reduce((sum, wait) => sum + wait, 0);
}

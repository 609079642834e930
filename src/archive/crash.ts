/** Points of the transaction at which a test can kill the process, in the order in which a flush passes them. */
export const CRASH_POINTS = [
  'before-prepare',
  'after-prepare',
  'before-manifest',
  'after-manifest',
  'before-commit',
  'after-commit',
  'before-publish',
  'after-publish',
  'before-recovery',
  'during-recovery',
  'after-recovery',
] as const;

/** A named point; those of single files (prepare, publish, recovery) are passed once per file. */
export type CrashPoint = (typeof CRASH_POINTS)[number];

/**
 * Kills the process with SIGKILL at the point that the environment variable SLUICE_CRASH_AT names, for tests of
 * recovery; `name#2` means the second time that the point is passed. Does nothing when the variable is not set.
 */
export function createCrash(env: NodeJS.ProcessEnv = process.env): (point: CrashPoint) => void {
  const [name, count] = (env['SLUICE_CRASH_AT'] ?? '').split('#');
  if (!name) return () => undefined;
  let left = Number(count ?? 1);
  return (point) => {
    if (point !== name || --left > 0) return;
    process.kill(process.pid, 'SIGKILL');
    // The signal may take a moment to arrive; nothing may happen in it.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  };
}

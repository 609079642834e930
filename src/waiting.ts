/** Milliseconds that a command waits before it says so. */
const QUIET = 2_000;

/**
 * For commands that somebody waits for: takes what failed and is tried again, and says the first of it that comes after some
 * seconds as a line on standard error. Nothing after that, and nothing of what soon passes.
 */
export function createWaitingNote(): (error: Error) => void {
  const begun = performance.now();
  let isSaid = false;
  return (error) => {
    if (isSaid || performance.now() - begun < QUIET) return;
    isSaid = true;
    process.stderr.write(`waiting for an answer: ${error.message}\n`);
  };
}

/**
 * Ends this process at once with an exit code, whatever its threads are doing; main thread only, code 1..255.
 *
 * `process.exit` waits for every worker, and a worker inside a native call that hangs never ends; killing the process
 * ends it too, but looks like the kernel's out-of-memory killer to a supervisor. Replacing the process image by a Node
 * that only exits ends all threads without waiting, keeps the process id, and gives the exit code that was asked for.
 * Nothing is flushed: log lines must be written synchronously before.
 */
export function exitNow(code: number): never {
  try {
    process.execve?.(process.execPath, [process.execPath, '--eval', `process.exit(${code})`], {});
  } finally {
    // Where processes cannot be replaced (Windows, no execve in this Node).
    process.kill(process.pid, 'SIGKILL');
  }
  throw new Error('unreachable: the process was killed');
}

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { OperationalError } from '../../src/errors.ts';
import type { Command } from './service.ts';

/** A process that outlives the one that started it. */
export interface DetachedProcess {
  readonly pid: number;
  /** When it started, as the system says: together with the pid it names one process, also after the pid was reused. */
  readonly started: string;
}

const POLL_MS = 20;

/**
 * Starts a program that goes on when this process ends, as the leader of a process group of its own, in this process's
 * environment without AWS_*. Its output is appended to the file `log`. Throws OperationalError when it cannot start.
 */
export async function startDetached(
  command: Command,
  directory: string,
  log: string,
): Promise<DetachedProcess> {
  const output = openSync(log, 'a');
  try {
    const child = spawn(command.program, command.args, {
      cwd: directory,
      env: { ...withoutAws(process.env), ...command.env },
      detached: true,
      stdio: ['ignore', output, output],
    });
    await once(child, 'spawn').catch((error: unknown) => {
      throw new OperationalError(`expected to start ${command.program}, got ${String(error)}`, {
        cause: error,
      });
    });
    child.unref();
    const started = startTime(child.pid!);
    if (started === undefined) {
      throw new OperationalError(`${command.program} ended at once; its output is in ${log}`);
    }
    return { pid: child.pid!, started };
  } finally {
    closeSync(output);
  }
}

/** Servers of our own must not act, or fail, by the account or the profile of whoever starts them: moto does by AWS_PROFILE. */
function withoutAws(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith('AWS_')));
}

/** Whether that very process runs: not another one that got its pid later, and not a zombie. */
export function isRunning({ pid, started }: DetachedProcess): boolean {
  return startTime(pid) === started;
}

/** Sends a signal to the process and its group, if it runs. Returns whether it did. */
export function signalProcess(target: DetachedProcess, signal: NodeJS.Signals): boolean {
  if (!isRunning(target)) return false;
  try {
    process.kill(-target.pid, signal);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

/** How a process is ended. */
export interface EndOptions {
  /** Sent first. Default: SIGTERM. */
  readonly signal?: NodeJS.Signals;
  /** How long it may take before SIGKILL follows. Default: ten seconds. */
  readonly graceMs?: number;
}

/** Ends a process, if it runs. Resolves when it is gone. Throws OperationalError when not even SIGKILL ends it. */
export async function endProcess(
  target: DetachedProcess,
  { signal = 'SIGTERM', graceMs = 10_000 }: EndOptions = {},
): Promise<void> {
  if (!signalProcess(target, signal)) return;
  // A stopped process takes no signal but SIGKILL until it goes on.
  signalProcess(target, 'SIGCONT');
  let deadline = Date.now() + graceMs;
  let killed = false;
  while (isRunning(target)) {
    if (Date.now() > deadline) {
      if (killed) throw new OperationalError(`expected process ${target.pid} to end after SIGKILL, it runs`);
      signalProcess(target, 'SIGKILL');
      killed = true;
      deadline = Date.now() + graceMs;
    }
    await sleep(POLL_MS);
  }
}

/** When the process of that pid started; undefined when there is none, or only a zombie. */
function startTime(pid: number): string | undefined {
  try {
    if (process.platform !== 'linux') {
      const [, state, start] = /^\s*(\S+)\s+(.+?)\s*$/.exec(
        execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], { encoding: 'utf8' }),
      ) ?? [undefined, 'Z', undefined];
      return state?.startsWith('Z') ? undefined : start;
    }
    // proc(5): the name in parentheses may hold spaces; after it come the state (field 3) and, in field 22, the start in ticks.
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${fields[19]}`;
  } catch {
    return undefined;
  }
}

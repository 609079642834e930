import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join, resolve } from 'node:path';

const CLI = resolve(import.meta.dirname, '../../bin/sluice.js');

/** How one process of a member ended. */
export interface MemberExit {
  readonly member: string;
  readonly pid: number;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The crash point that the process was started with, if any. */
  readonly crashAt: string | undefined;
  /** Whether it had an assignment. */
  readonly up: boolean;
  /** Seconds that it ran. */
  readonly seconds: number;
  readonly log: string;
  /** The end of its log. */
  readonly last: string;
}

/** One process of the real command line. */
export interface MemberProcess {
  readonly pid: number;
  readonly log: string;
  readonly crashAt: string | undefined;
  readonly exited: Promise<MemberExit>;
  /** Whether the process has not ended. */
  running(): boolean;
  /** Whether it runs and has had an assignment. */
  up(): boolean;
  /** Sends a signal to the process itself; false when it has ended. */
  signal(signal: NodeJS.Signals): boolean;
  /** The first log line with this action, when it was written; rejects when the process ends before, with the end of its log. */
  logged(action: string): Promise<LogLine>;
  /** Resident memory in bytes; undefined when it has ended. */
  residentBytes(): number | undefined;
}

/** A log line as it was written: `event.action` names the event, `sluice` has its fields. */
export type LogLine = Readonly<Record<string, unknown>>;

/** What a member's process is started with. */
export interface MemberOptions {
  readonly name: string;
  readonly config: string;
  /** Directory of its logs. */
  readonly logs: string;
  readonly env: Readonly<Record<string, string>>;
  readonly crashAt?: string | undefined;
  readonly untilEnd?: boolean;
  /** Whether writing any local file, a cache say, ends the process (SIGXFSZ): the disk is full from its first byte on. */
  readonly diskFull?: boolean;
  /** Called for each log line, as its `event.action`. */
  readonly onEvent?: ((action: string, line: LogLine) => void) | undefined;
}

let starts = 0;

/** The event after which a member reads. */
const UP = 'assignment-recovered';

/** Starts `sluice run` as a process of its own, whose output goes to a file of its own. */
export function startMember(options: MemberOptions): MemberProcess {
  const { name, config, logs, crashAt, untilEnd = false, diskFull = false, onEvent } = options;
  const log = join(logs, `${name}-${String(++starts).padStart(3, '0')}.log`);
  const output = openSync(log, 'a');
  const started = performance.now();
  const command = [process.execPath, CLI, 'run', config, '--json', ...(untilEnd ? ['--until-end'] : [])];
  // `exec` keeps the pid, so that signals meet the process itself.
  const [program, ...args] = diskFull
    ? ['/bin/sh', '-c', 'ulimit -f 0; exec "$@"', 'sh', ...command]
    : command;
  const child: ChildProcess = spawn(program!, args, {
    env: { ...process.env, ...options.env, ...(crashAt ? { SLUICE_CRASH_AT: crashAt } : {}) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  // Whatever ends this process, its members do not stay behind.
  const orphaned = () => child.kill('SIGKILL');
  process.once('exit', orphaned);
  const seen = new Map<string, LogLine>();
  const waiting: { action: string; done: (line: LogLine) => void; fail: (error: Error) => void }[] = [];
  let rest = '';
  child.stdout!.on('data', (chunk: Buffer) => void writeSync(output, chunk));
  child.stderr!.on('data', (chunk: Buffer) => {
    writeSync(output, chunk);
    const lines = (rest + chunk.toString('utf8')).split('\n');
    rest = lines.pop()!;
    for (const text of lines) {
      const line = parsed(text);
      const action = line?.['event.action'];
      if (!line || typeof action !== 'string') continue;
      if (!seen.has(action)) seen.set(action, line);
      for (const wait of waiting.filter((candidate) => candidate.action === action)) wait.done(line);
      onEvent?.(action, line);
    }
  });
  let ended = false;
  const running = () => !ended && child.exitCode === null && child.signalCode === null;
  const exited = new Promise<MemberExit>((done, fail) => {
    child.on('error', fail);
    // Its signal arrives with `exit`; `close` comes when its output has been read to the end.
    child.on('close', (code, signal) => {
      ended = true;
      process.off('exit', orphaned);
      closeSync(output);
      const last = tail(log);
      for (const wait of waiting) wait.fail(new Error(`${name} ended before ${wait.action}:\n${last}`));
      const seconds = (performance.now() - started) / 1000;
      const up = seen.has(UP);
      done({ member: name, pid: child.pid ?? 0, code, signal, crashAt, up, seconds, log, last });
    });
  });
  return {
    pid: child.pid ?? 0,
    log,
    crashAt,
    exited,
    running,
    up: () => running() && seen.has(UP),
    signal: (signal) => child.kill(signal),
    logged: (action) => {
      const line = seen.get(action);
      if (line) return Promise.resolve(line);
      return new Promise((done, fail) => {
        if (ended)
          fail(
            new Error(`${name} ended before ${action}:
${tail(log)}`),
          );
        else waiting.push({ action, done, fail });
      });
    },
    residentBytes: () => {
      if (ended) return undefined;
      try {
        const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
        return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1024;
      } catch {
        return undefined;
      }
    },
  };
}

function parsed(text: string): Record<string, unknown> | undefined {
  if (!text.startsWith('{')) return undefined;
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    // A line that a kill cut short.
    return undefined;
  }
}

/** The last lines of a file. */
export function tail(file: string, lines = 15): string {
  return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
}

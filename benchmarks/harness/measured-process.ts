import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { OperationalError } from '../../src/errors.ts';
import { tail } from '../../scripts/services/execute.ts';
import type { Command } from '../../scripts/services/service.ts';
import { sessionProcesses, sum } from './process-tree.ts';

/** How often memory is looked at. */
const POLL_MS = 200;
/** How long it may take to end after a signal; SIGKILL follows. */
const GRACE_MS = 10_000;
/** Runs the command and then writes the CPU times of the shell and of its ended children to descriptor 3 (POSIX `times`). */
const WRAPPER = '"$@"; code=$?; times >&3; exit $code';

/** What a process and all that it started used. */
export interface Usage {
  readonly seconds: number;
  readonly cpuSeconds: number;
  /** Bytes. Memory that processes share counts for each of them. */
  readonly peakRss: number;
}

/** A command that is being measured. */
export interface MeasuredProcess {
  /** Resolves when it has ended, with its exit code: null when a signal ended it. */
  readonly ended: Promise<number | null>;
  /** Whether it has ended. */
  hasEnded(): boolean;
  /** What was used so far; after the end: until then, exactly. */
  usage(): Usage;
  /** Sends a signal to it and to all that it started, and waits for its end. */
  end(signal: NodeJS.Signals): Promise<void>;
  /** Memory in bytes at times in seconds since the start. */
  readonly memory: readonly { readonly at: number; readonly rss: number }[];
}

/** Options of {@link startMeasured}. */
export interface MeasuredOptions {
  readonly command: Command;
  readonly directory: string;
  /** File that gets what it prints. */
  readonly log: string;
}

/** Starts a command as a session of its own; what happens in that session is measured (Linux). */
export function startMeasured({ command, directory, log }: MeasuredOptions): MeasuredProcess {
  const output = openSync(log, 'a');
  const started = performance.now();
  const child = spawn('/bin/sh', ['-c', WRAPPER, 'sh', command.program, ...command.args], {
    cwd: directory,
    env: { ...process.env, ...command.env },
    detached: true,
    stdio: ['ignore', output, output, 'pipe'],
  });
  closeSync(output);
  const seconds = () => (performance.now() - started) / 1000;
  const memory: { at: number; rss: number }[] = [];
  let times = '';
  let last = { cpuSeconds: 0, rss: 0 };
  let peakRss = 0;
  let total: Usage | undefined;
  const look = () => {
    const now = sum(sessionProcesses(child.pid!));
    // Processes that end between two looks take their time with them: it never goes down.
    last = { cpuSeconds: Math.max(last.cpuSeconds, now.cpuSeconds), rss: now.rss };
    peakRss = Math.max(peakRss, now.rss);
    memory.push({ at: seconds(), rss: now.rss });
  };
  const timer = setInterval(look, POLL_MS);
  // It must not outlive whoever measures it.
  const endWithUs = () => signal('SIGKILL');
  process.once('exit', endWithUs);
  const signal = (name: NodeJS.Signals) => {
    try {
      process.kill(-child.pid!, name);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  };
  child.stdio[3]!.on('data', (bytes: Buffer) => (times += bytes.toString()));
  const ended = new Promise<number | null>((done, fail) => {
    child.once('error', fail);
    child.once('close', (code) => {
      clearInterval(timer);
      process.off('exit', endWithUs);
      total = {
        seconds: seconds(),
        // Killed, the shell tells nothing.
        cpuSeconds: times === '' ? last.cpuSeconds : childSeconds(times),
        peakRss,
      };
      done(code);
    });
  });
  return {
    ended,
    hasEnded: () => total !== undefined,
    memory,
    usage() {
      if (total) return total;
      look();
      return { seconds: seconds(), cpuSeconds: last.cpuSeconds, peakRss };
    },
    async end(first) {
      for (let next = first; total === undefined; next = 'SIGKILL') {
        // What a kill ends tells its times to nobody.
        look();
        signal(next);
        await Promise.race([ended, sleep(GRACE_MS)]);
      }
    },
  };
}

/** Runs a command to its end. Throws OperationalError with the end of its log unless it exits with code 0. */
export async function measure(options: MeasuredOptions): Promise<Usage> {
  const child = startMeasured(options);
  const code = await child.ended;
  if (code !== 0) throw endedBadly(options, code);
  return child.usage();
}

/** The error of a command that ended with a code other than 0. */
export function endedBadly({ command, log }: MeasuredOptions, code: number | null): OperationalError {
  const line = [command.program, ...command.args].join(' ');
  const how = code === null ? 'was ended by a signal' : `exited with code ${code}`;
  return new OperationalError(
    `expected \`${line}\` to succeed, it ${how}; the end of ${log}:\n${tail(readFileSync(log, 'utf8'))}`,
  );
}

/** CPU seconds of ended children: second line of `times` (POSIX shell: `0m1.230s 0m0.450s`, user and system). */
export function childSeconds(times: string): number {
  const [, line = ''] = times.split('\n');
  const parts = [...line.matchAll(/(\d+)m([\d.,]+)s/g)];
  if (parts.length !== 2) throw new Error(`expected two lines of \`times\`, got ${JSON.stringify(times)}`);
  return parts.reduce(
    (all, [, minutes, rest]) => all + Number(minutes) * 60 + Number(rest!.replace(',', '.')),
    0,
  );
}

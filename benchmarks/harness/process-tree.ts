import { readdirSync, readFileSync } from 'node:fs';

/** Ticks of a second in /proc: USER_HZ is 100 on every Linux that Node runs on (proc(5)). */
const TICKS = 100;

/** One process as /proc tells it. */
export interface ProcessFigures {
  readonly pid: number;
  readonly parent: number;
  readonly session: number;
  /** CPU seconds of its own threads, and of its children that have ended and were waited for. */
  readonly own: number;
  readonly ended: number;
  /** Resident memory now, in bytes. */
  readonly rss: number;
}

/** CPU time and memory of several processes together. */
export interface TreeFigures {
  readonly cpuSeconds: number;
  readonly rss: number;
  readonly processes: number;
}

/**
 * Reads a line of /proc/PID/stat (proc(5)): fields 4 parent, 6 session, 14 and 15 own user and system time, 16 and 17 those
 * of ended children, 24 resident pages. The name in parentheses may hold spaces and parentheses.
 */
export function parseStat(line: string, pageBytes = 4096): ProcessFigures {
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  const field = (number: number) => Number(fields[number - 3]);
  return {
    pid: Number.parseInt(line, 10),
    parent: field(4),
    session: field(6),
    own: (field(14) + field(15)) / TICKS,
    ended: (field(16) + field(17)) / TICKS,
    rss: field(24) * pageBytes,
  };
}

/** Sums up processes: own time of each, and that of the children that each has outlived. */
export function sum(processes: readonly ProcessFigures[]): TreeFigures {
  let cpuSeconds = 0;
  let rss = 0;
  for (const each of processes) {
    cpuSeconds += each.own + each.ended;
    rss += each.rss;
  }
  return { cpuSeconds, rss, processes: processes.length };
}

/** The processes of a session (setsid(2)): a detached child and whatever it started that did not leave it. */
export function sessionProcesses(session: number): ProcessFigures[] {
  const found = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const figures = processFigures(Number(name));
    if (figures?.session === session) found.push(figures);
  }
  return found;
}

/** One process; undefined when it has ended. */
export function processFigures(pid: number): ProcessFigures | undefined {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}

/** CPU seconds that the whole machine was busy since it started: line `cpu` of /proc/stat without idle and iowait. */
export function machineCpuSeconds(): number {
  return busySeconds(readFileSync('/proc/stat', 'latin1'));
}

/** See {@link machineCpuSeconds}; guest time (fields 9 and 10) is part of user time already. */
export function busySeconds(stat: string): number {
  const fields = /^cpu +(.+)$/m.exec(stat)![1]!.split(' ').map(Number);
  return (
    fields.slice(0, 8).reduce((total, ticks, at) => (at === 3 || at === 4 ? total : total + ticks), 0) / TICKS
  );
}

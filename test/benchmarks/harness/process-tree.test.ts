import { describe, expect, it } from 'vitest';
import { busySeconds, parseStat, processFigures, sum } from '../../../benchmarks/harness/process-tree.ts';

const LINE =
  '4321 (a (strange) name) S 4000 4321 4300 0 -1 4194304 100 200 0 0 150 50 30 20 20 0 11 0 9999 123456789 2048 18446744073709551615 1 1';

describe('process tree', () => {
  it('reads a line of /proc/PID/stat, whatever the name', () => {
    expect(parseStat(LINE)).toEqual({
      pid: 4321,
      parent: 4000,
      session: 4300,
      own: 2,
      ended: 0.5,
      rss: 2048 * 4096,
    });
  });

  it('adds the time of children that have ended to that of those that live', () => {
    const one = parseStat(LINE);
    expect(sum([one, { ...one, own: 1, ended: 0 }])).toEqual({
      cpuSeconds: 3.5,
      rss: 2 * one.rss,
      processes: 2,
    });
    expect(sum([])).toEqual({ cpuSeconds: 0, rss: 0, processes: 0 });
  });

  it('knows this process, and none that has ended', () => {
    const figures = processFigures(process.pid)!;
    expect(figures.parent).toBe(process.ppid);
    expect(figures.rss).toBeGreaterThan(10_000_000);
    expect(processFigures(2 ** 22 + 1)).toBeUndefined();
  });

  it('counts neither idle time nor waiting for disks nor guests twice', () => {
    const stat = 'cpu  100 20 30 9000 800 5 5 40 60 7\ncpu0 1 2 3 4 5 6 7 8 9 10\n';
    expect(busySeconds(stat)).toBe(2);
  });
});

import type { Partition } from '../types.ts';

/** Offsets from `from` to before `to`. */
export interface Interval {
  readonly from: number;
  readonly to: number;
}

/** The offsets of one partition that a pipeline's transactions settle. */
export interface CoveredPartition extends Partition {
  readonly pipeline: string;
  /** Disjoint, apart from each other, growing: one, when nothing is missing in between. */
  readonly intervals: readonly Interval[];
}

/** Which offsets transactions settle, range by range as they come, in memory that grows with the holes only. */
export interface Coverage {
  /** Takes a range; returns what of it was covered before, which no two transactions may do. */
  add(pipeline: string, range: Partition & Interval): readonly Interval[];
  /** All partitions, by pipeline, topic and number. */
  partitions(): CoveredPartition[];
}

/** A coverage of nothing. */
export function createCoverage(): Coverage {
  const all = new Map<string, Partition & { readonly pipeline: string; intervals: Interval[] }>();
  return {
    add(pipeline, { topic, partition, from, to }) {
      const key = JSON.stringify([pipeline, topic, partition]);
      let covered = all.get(key);
      if (!covered) all.set(key, (covered = { pipeline, topic, partition, intervals: [] }));
      const { intervals, overlaps } = withInterval(covered.intervals, { from, to });
      covered.intervals = intervals;
      return overlaps;
    },
    partitions: () =>
      [...all.values()].toSorted(
        (a, b) => order(a.pipeline, b.pipeline) || order(a.topic, b.topic) || a.partition - b.partition,
      ),
  };
}

function order(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

/** Joins one more interval to a sorted list, and what they have in common. An empty one changes nothing. */
function withInterval(
  intervals: Interval[],
  added: Interval,
): { readonly intervals: Interval[]; readonly overlaps: Interval[] } {
  if (added.to <= added.from) return { intervals, overlaps: [] };
  const last = intervals.at(-1);
  // Transactions come in the order of their time, so nearly all go on where the one before ended.
  if (!last || added.from >= last.to) {
    if (last?.to === added.from) intervals[intervals.length - 1] = { from: last.from, to: added.to };
    else intervals.push(added);
    return { intervals, overlaps: [] };
  }
  let { from, to } = added;
  const overlaps: Interval[] = [];
  const before: Interval[] = [];
  const after: Interval[] = [];
  for (const interval of intervals) {
    if (interval.to < added.from) before.push(interval);
    else if (interval.from > added.to) after.push(interval);
    else {
      from = Math.min(from, interval.from);
      to = Math.max(to, interval.to);
      const common = { from: Math.max(added.from, interval.from), to: Math.min(added.to, interval.to) };
      if (common.from < common.to) overlaps.push(common);
    }
  }
  return { intervals: [...before, { from, to }, ...after], overlaps };
}

/** The holes between intervals as {@link CoveredPartition} has them. */
export function holesOf(intervals: readonly Interval[]): Interval[] {
  return intervals.slice(1).map(({ from }, index) => ({ from: intervals[index]!.to, to: from }));
}

import type { CommittedPosition } from '../ports.ts';
import type { Partition, Position } from '../types.ts';
import { holesOf, type CoveredPartition, type Interval } from './coverage.ts';
import type { OnViolation } from './violation.ts';

/** How far the archive is in one partition. */
export interface PartitionReport extends Partition {
  readonly pipeline: string;
  /** First offset that a transaction settled, and the one behind the last. */
  readonly from: number;
  readonly to: number;
  /** The position that is committed; absent when it is not known. */
  readonly committed?: number;
  /** Offset behind the last message of the topic; absent when it is not known. */
  readonly end?: number;
}

/** What {@link checkReach} compares. */
export interface ReachInput {
  readonly coverage: readonly CoveredPartition[];
  readonly pipeline: string;
  /** Positions as they were before the ledger was read, and after. */
  readonly commits?:
    | {
        readonly before: readonly CommittedPosition[];
        readonly after: readonly CommittedPosition[];
        readonly ends: readonly Position[];
        readonly expire: boolean;
        readonly start?: number;
      }
    | undefined;
  /** Whether only the newer transactions are known: the first range may then begin anywhere. */
  readonly isPart: boolean;
  /** Manifests that could not be read: what is missing may be theirs. */
  readonly damaged: number;
  readonly onViolation: OnViolation;
}

/** Whether the ranges of each partition follow each other and end at the committed position. */
export function checkReach(input: ReachInput): {
  readonly partitions: readonly PartitionReport[];
  readonly notes: readonly string[];
} {
  const { commits, pipeline, damaged } = input;
  const before = byPartition(commits?.before);
  const after = byPartition(commits?.after);
  const ends = byPartition(commits?.ends);
  const notes: string[] = [];
  const partitions: PartitionReport[] = [];
  let behindDamage = 0;
  let behindEnd = 0;
  let unknown = 0;

  function gap(at: Partition, { from, to }: Interval, detail: string): void {
    if (damaged > 0) behindDamage += to - from;
    else {
      const { topic, partition } = at;
      input.onViolation({ kind: 'gap', topic, partition, from, to, detail });
    }
  }

  for (const covered of input.coverage) {
    const { topic, partition, intervals } = covered;
    for (const hole of holesOf(intervals)) gap(covered, hole, 'no transaction settled them');
    const from = intervals[0]!.from;
    const to = intervals.at(-1)!.to;
    const isOwn = covered.pipeline === pipeline || covered.pipeline === '';
    const report = { pipeline: covered.pipeline, topic, partition, from, to };
    if (!commits || !isOwn) {
      partitions.push(report);
      continue;
    }
    const key = keyOf(covered);
    const start = input.isPart ? undefined : commits.start;
    if (start !== undefined && start < from)
      gap(covered, { from: start, to: from }, 'no transaction settled them');
    const known = before.get(key);
    if (!known && commits.expire) {
      unknown++;
    } else {
      const least = known?.offset ?? 0;
      const most = after.get(key)?.offset ?? least;
      if (to < least) gap(covered, { from: to, to: least }, 'committed, but no transaction settled them');
      if (to > most) {
        const detail = `archived, but only ${most} is committed`;
        input.onViolation({
          kind: 'ahead_of_commit',
          topic,
          partition,
          from: Math.max(from, most),
          to,
          detail,
        });
      }
    }
    const end = ends.get(key)?.offset;
    if (end !== undefined) behindEnd += Math.max(0, end - to);
    const committed = after.get(key)?.offset ?? known?.offset;
    partitions.push({
      ...report,
      ...(committed === undefined ? {} : { committed }),
      ...(end === undefined ? {} : { end }),
    });
    before.delete(key);
  }
  // Committed partitions of which the ledger knows nothing.
  for (const { topic, partition, offset } of input.isPart ? [] : before.values()) {
    const start = commits?.start;
    if (start === undefined) {
      if (offset > 0)
        notes.push(`${topic}-${partition}: ${offset} is committed, and nothing was archived before it`);
    } else if (offset > start) {
      gap({ topic, partition }, { from: start, to: offset }, 'committed, but no transaction settled them');
    }
  }
  if (unknown > 0)
    notes.push(
      `no position of ${unknown} partitions is committed (any more), so that the archive reaches it was not checked`,
    );
  if (behindDamage > 0)
    notes.push(
      `${behindDamage} offsets are in no transaction that can be read: perhaps in those of the ${damaged} damaged manifests`,
    );
  if (behindEnd > 0) notes.push(`${behindEnd} messages at the end of the topics are not archived yet`);
  return { partitions, notes };
}

function byPartition<At extends Position>(positions: readonly At[] = []): Map<string, At> {
  return new Map(positions.map((position) => [keyOf(position), position]));
}

function keyOf({ topic, partition }: Partition): string {
  return `${partition}\n${topic}`;
}

import type { Partition } from '../types.ts';

/** A member of a group, with the topics that it reads. */
export interface GroupMember {
  readonly id: string;
  readonly topics: readonly string[];
}

/**
 * Deals partitions to members in turn, each to the next one that reads its topic: what Kafka calls the `roundrobin`
 * strategy. Sorted before, so that the same group always gets the same result; members of equal topics differ by one
 * partition at most. A partition that nobody reads is left out. Every member has an entry.
 */
export function assignPartitions(
  members: readonly GroupMember[],
  partitions: readonly Partition[],
): Map<string, Partition[]> {
  const sorted = members.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const assignment = new Map(sorted.map(({ id }): [string, Partition[]] => [id, []]));
  const topics = sorted.map((member) => new Set(member.topics));
  let turn = 0;
  const inOrder = partitions.toSorted(
    (a, b) => (a.topic < b.topic ? -1 : a.topic > b.topic ? 1 : 0) || a.partition - b.partition,
  );
  for (const partition of inOrder) {
    for (let tried = 0; tried < sorted.length; tried++) {
      const at = turn++ % sorted.length;
      if (!topics[at]!.has(partition.topic)) continue;
      assignment.get(sorted[at]!.id)!.push(partition);
      break;
    }
  }
  return assignment;
}

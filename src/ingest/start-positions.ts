import type { CommittedPosition } from '../ports.ts';
import type { Partition } from '../types.ts';
import { partitionKey } from './partition-key.ts';

/** Where the partitions of an assignment begin. */
export interface StartPositions {
  /** Partitions that the group has committed. */
  readonly committed: readonly CommittedPosition[];
  /** Partitions that the ledger alone knows: the group's own positions have expired. To be committed at once. */
  readonly recovered: readonly CommittedPosition[];
  /** Partitions that nobody knows, and where they begin. */
  readonly fresh: readonly Partition[];
  /**
   * Whether the group is new, so that `source.start` decides of the fresh ones; in one that has archived before they are new
   * partitions, of which nothing may be skipped.
   */
  readonly isNew: boolean;
}

/**
 * Finds out where partitions begin: `group` has all positions that the group committed, `ledger` those of the newest
 * finished transactions.
 */
export function startPositions(
  partitions: readonly Partition[],
  group: readonly CommittedPosition[],
  ledger: readonly CommittedPosition[],
): StartPositions {
  const inGroup = new Map(group.map((each) => [partitionKey(each), each]));
  const inLedger = new Map(ledger.map((each) => [partitionKey(each), each]));
  const unknown = partitions.filter((each) => !inGroup.has(partitionKey(each)));
  return {
    committed: partitions.flatMap((each) => inGroup.get(partitionKey(each)) ?? []),
    recovered: unknown.flatMap((each) => inLedger.get(partitionKey(each)) ?? []),
    fresh: unknown.filter((each) => !inLedger.has(partitionKey(each))),
    // Another member may have committed where its partitions begin just now: that names no transaction.
    isNew: group.every(({ transaction }) => transaction === '') && inLedger.size === 0,
  };
}

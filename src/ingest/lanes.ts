import type { CommittedPosition, PartitionLag } from '../ports.ts';
import type { Partition, Position, RawBatch } from '../types.ts';
import { cutBatch } from './cut-batch.ts';
import { partitionKey } from './partition-key.ts';

/** Where each partition of an assignment stands. */
export interface Lanes {
  /** The partitions with their committed positions. */
  assign(positions: readonly CommittedPosition[]): void;
  /** Reading begins at what is committed now: positions to read from. Partitions that have reached their targets, if there are any, are not read. */
  begin(targets: ReadonlyMap<string, number> | null): Position[];
  /** Notes positions that were committed. */
  committed(positions: readonly Position[]): void;
  /**
   * A fetched batch as it is handed over: from where the one before ended, up to the target; undefined when none of it is
   * wanted. One without rows only moves the position; its offsets become part of the next batch's.
   */
  take(batch: RawBatch, end: number): RawBatch | undefined;
  /** The position moves without a batch. */
  reached(partition: Partition, offset: number): void;
  sawEnd(partition: Partition, end: number): void;
  /** Whether a partition has reached its target; false without one. */
  isRead(partition: Partition): boolean;
  allRead(): boolean;
  partitions(): Partition[];
  lag(): PartitionLag[];
}

interface Lane extends Partition {
  committed: number;
  /** Next offset to look at, and where the next batch begins: behind the last one that had rows. */
  position: number;
  first: number;
  end: number;
  target: number | undefined;
}

/** Lanes without partitions. */
export function createLanes(): Lanes {
  const lanes = new Map<string, Lane>();
  let hasTargets = false;
  const laneOf = (partition: Partition) => lanes.get(partitionKey(partition));
  const isLaneRead = ({ target, position }: Lane) => target !== undefined && position >= target;

  return {
    assign(positions) {
      for (const { topic, partition, offset } of positions) {
        const lane: Lane = {
          topic,
          partition,
          committed: offset,
          position: offset,
          first: offset,
          end: offset,
          target: undefined,
        };
        lanes.set(partitionKey(lane), lane);
      }
    },
    begin(targets) {
      hasTargets = targets !== null;
      for (const lane of lanes.values()) {
        lane.position = lane.first = lane.committed;
        lane.target = targets?.get(partitionKey(lane));
      }
      const wanted = [...lanes.values()].filter((lane) => !isLaneRead(lane));
      return wanted.map(({ topic, partition, position }) => ({ topic, partition, offset: position }));
    },
    committed(positions) {
      for (const position of positions) {
        const lane = laneOf(position);
        if (lane) lane.committed = position.offset;
      }
    },
    take(batch, end) {
      const lane = laneOf(batch);
      if (!lane) return undefined;
      const { first, target } = lane;
      const wanted = target !== undefined && batch.next > target ? cutBatch(batch, target) : batch;
      lane.position = wanted.next;
      lane.end = Math.max(lane.end, end);
      if (wanted.rows > 0) lane.first = wanted.next;
      return { ...wanted, first };
    },
    reached(partition, offset) {
      const lane = laneOf(partition);
      if (lane) lane.position = Math.max(lane.position, offset);
    },
    sawEnd(partition, end) {
      const lane = laneOf(partition);
      if (lane) lane.end = Math.max(lane.end, end);
    },
    isRead(partition) {
      const lane = laneOf(partition);
      return lane !== undefined && isLaneRead(lane);
    },
    allRead: () => hasTargets && [...lanes.values()].every(isLaneRead),
    partitions: () => [...lanes.values()].map(({ topic, partition }) => ({ topic, partition })),
    lag: () =>
      [...lanes.values()].map(({ topic, partition, position, committed, end }) => ({
        topic,
        partition,
        position,
        committed,
        end: Math.max(end, position),
      })),
  };
}

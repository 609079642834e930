import type { Partition, Position } from '../types.ts';
import type { KafkaClient } from './kafka-client.ts';
import { partitionKey } from './partition-key.ts';

/** Offsets before which reading ends; see `untilEnd`. */
export interface Ends {
  /** From now on there are ends; without it there are none. */
  enable(): void;
  /** The ends of these partitions as they were when first asked for; null without ends. Throws RetryableError. */
  targets(partitions: readonly Partition[]): Promise<ReadonlyMap<string, number> | null>;
}

/** Ends of one run: the same for a partition however often it comes back. `until` gives them; what it leaves out is not read. */
export function createEnds(client: KafkaClient, until?: readonly Position[]): Ends {
  const ends = new Map<string, number>(until?.map((each) => [partitionKey(each), each.offset]));
  let enabled = false;
  return {
    enable() {
      enabled = true;
    },
    async targets(partitions) {
      if (!enabled) return null;
      const unseen = partitions.filter((each) => !ends.has(partitionKey(each)));
      if (until) for (const each of unseen) ends.set(partitionKey(each), 0);
      else if (unseen.length > 0) {
        // Those of other members too: they may come here later, and their ends are those of the start.
        const all = ends.size === 0 ? [...(await client.partitions()), ...unseen] : unseen;
        for (const each of await client.offsets(all, 'latest')) ends.set(partitionKey(each), each.offset);
      }
      return new Map(partitions.map((each) => [partitionKey(each), ends.get(partitionKey(each)) ?? 0]));
    },
  };
}

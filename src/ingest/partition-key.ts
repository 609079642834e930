import type { Partition } from '../types.ts';

/** A name of a partition that no other has: topic names have no `/`. */
export function partitionKey({ topic, partition }: Partition): string {
  return `${topic}/${partition}`;
}

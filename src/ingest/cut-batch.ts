import { sliceBatch } from '../raw-batch.ts';
import type { RawBatch } from '../types.ts';

/** The messages of a batch before offset `end`, which becomes its `next`. */
export function cutBatch(batch: RawBatch, end: number): RawBatch {
  const found = batch.offsets.findIndex((offset) => offset >= end);
  return { ...sliceBatch(batch, 0, found < 0 ? batch.rows : found), next: Math.min(batch.next, end) };
}

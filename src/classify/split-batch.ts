import { sliceBatch } from '../raw-batch.ts';
import type { RawBatch } from '../types.ts';

/** Two halves of a batch of at least two messages, in order; together they settle what the batch settles. */
export function splitBatch(batch: RawBatch): [RawBatch, RawBatch] {
  const middle = batch.rows >> 1;
  return [sliceBatch(batch, 0, middle), sliceBatch(batch, middle, batch.rows)];
}

/** The memory of a batch, to be moved to a worker; the batch is empty afterwards. */
export function batchBuffers(batch: RawBatch): ArrayBuffer[] {
  const { keys, headers } = batch;
  const slices = [keys?.starts, keys?.ends, headers?.starts, headers?.ends, headers?.first, headers?.name];
  const { bytes, starts, ends, offsets, timestamps, nulls } = batch;
  const views = [bytes, starts, ends, offsets, timestamps, nulls, ...slices];
  return [...new Set(views.flatMap((view) => (view ? [view.buffer] : [])))];
}

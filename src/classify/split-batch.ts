import type { RawBatch } from '../types.ts';

/**
 * The messages [from, to) of a batch as a batch of their own, in memory of their own. `next` is the offset of the
 * message after them, or the whole batch's where they are the last.
 */
export function sliceBatch(batch: RawBatch, from: number, to: number): RawBatch {
  const begin = from < to ? batch.starts[from]! : 0;
  const end = from < to ? batch.ends[to - 1]! : 0;
  const { keys, headers, nulls, truncated } = batch;
  return {
    topic: batch.topic,
    partition: batch.partition,
    rows: to - from,
    bytes: batch.bytes.slice(begin, end),
    starts: rebased(batch.starts, from, to, begin),
    ends: rebased(batch.ends, from, to, begin),
    offsets: batch.offsets.slice(from, to),
    timestamps: batch.timestamps.slice(from, to),
    receivedAt: batch.receivedAt,
    first: from > 0 ? batch.offsets[from]! : batch.first,
    next: to < batch.rows ? batch.offsets[to]! : batch.next,
    ...(keys ? { keys: keys.slice(from, to) } : {}),
    ...(headers ? { headers: headers.slice(from, to) } : {}),
    ...(nulls ? { nulls: nulls.slice(from, to) } : {}),
    ...(truncated ? { truncated: rowsWithin(truncated, from, to) } : {}),
  };
}

function rebased(
  bounds: Uint32Array<ArrayBuffer>,
  from: number,
  to: number,
  begin: number,
): Uint32Array<ArrayBuffer> {
  const copy = bounds.slice(from, to);
  // Every batch is copied whole once before it is sent: keep that a plain copy.
  if (begin > 0) for (let i = 0; i < copy.length; i++) copy[i]! -= begin;
  return copy;
}

function rowsWithin(truncated: Readonly<Record<number, number>>, from: number, to: number) {
  const kept = Object.entries(truncated).map(([row, bytes]) => [Number(row) - from, bytes] as const);
  return Object.fromEntries(kept.filter(([row]) => row >= 0 && row < to - from));
}

/** Two halves of a batch of at least two messages, in order; together they settle what the batch settles. */
export function splitBatch(batch: RawBatch): [RawBatch, RawBatch] {
  const middle = batch.rows >> 1;
  return [sliceBatch(batch, 0, middle), sliceBatch(batch, middle, batch.rows)];
}

/** The memory of a batch, to be moved to a worker; the batch is empty afterwards. */
export function batchBuffers(batch: RawBatch): ArrayBuffer[] {
  const views = [batch.bytes, batch.starts, batch.ends, batch.offsets, batch.timestamps, batch.nulls];
  return [...new Set(views.flatMap((view) => (view ? [view.buffer] : [])))];
}

import type { RawBatch, Slices } from './types.ts';

/** A copy of a message's key; null where it has none. */
export function keyOf({ bytes, keys }: RawBatch, row: number): Uint8Array<ArrayBuffer> | null {
  return keys ? copyOf(bytes, keys, row) : null;
}

/** A copy of the header of a message with that name, the last of several; undefined where it has none. */
export function headerOf(
  { bytes, headers }: RawBatch,
  row: number,
  name: string,
): Uint8Array<ArrayBuffer> | undefined {
  if (!headers) return undefined;
  const wanted = headers.names.indexOf(name);
  for (let entry = headers.first[row + 1]! - 1; entry >= headers.first[row]!; entry--) {
    if (headers.name[entry] === wanted) return copyOf(bytes, headers, entry) ?? undefined;
  }
  return undefined;
}

/** Copies of all headers of a message, of equal names the last; null where the batch has no headers. */
export function headersOf(
  { bytes, headers }: RawBatch,
  row: number,
): Readonly<Record<string, Uint8Array<ArrayBuffer>>> | null {
  if (!headers) return null;
  const entries: [string, Uint8Array<ArrayBuffer>][] = [];
  for (let entry = headers.first[row]!; entry < headers.first[row + 1]!; entry++) {
    const value = copyOf(bytes, headers, entry) ?? new Uint8Array(0);
    entries.push([headers.names[headers.name[entry]!]!, value]);
  }
  // Defines properties, so that a header of the name `__proto__` is one like any other.
  return Object.fromEntries(entries);
}

/** A copy, since a view would carry the whole batch's memory with it to another thread. */
function copyOf(
  bytes: Uint8Array<ArrayBuffer>,
  { starts, ends }: Slices,
  at: number,
): Uint8Array<ArrayBuffer> | null {
  const start = starts[at]!;
  const end = ends[at]!;
  return end < start ? null : bytes.slice(start, end);
}

/**
 * The messages [from, to) of a batch as a batch of their own, in memory of their own. `next` is the offset of the
 * message after them, or the whole batch's where they are the last.
 */
export function sliceBatch(batch: RawBatch, from: number, to: number): RawBatch {
  const begin = from < batch.rows ? batch.starts[from]! : batch.bytes.length;
  // What belongs to a message lies before the value of the next.
  const end = to < batch.rows ? batch.starts[to]! : batch.bytes.length;
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
    ...(keys ? { keys: slicesWithin(keys, from, to, begin) } : {}),
    ...(headers ? { headers: headersWithin(headers, from, to, begin) } : {}),
    ...(nulls ? { nulls: nulls.slice(from, to) } : {}),
    ...(truncated ? { truncated: rowsWithin(truncated, from, to) } : {}),
  };
}

function headersWithin(headers: NonNullable<RawBatch['headers']>, from: number, to: number, begin: number) {
  const [start, end] = [headers.first[from]!, headers.first[to]!];
  return {
    names: headers.names,
    name: headers.name.slice(start, end),
    first: rebased(headers.first, from, to + 1, start),
    ...slicesWithin(headers, start, end, begin),
  };
}

function slicesWithin({ starts, ends }: Slices, from: number, to: number, begin: number): Slices {
  return { starts: rebased(starts, from, to, begin), ends: rebased(ends, from, to, begin) };
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

import type { TextColumn } from './merge.ts';

/** Rows of a file that make one row group: `order[from .. to)`, or the rows `from .. to` themselves without an order. */
export interface RowRange {
  readonly order: Int32Array | undefined;
  readonly from: number;
  readonly to: number;
}

/** Text in Arrow's layout: n + 1 offsets into `data`, a validity bitmap when something is null. */
export interface ArrowText {
  readonly offsets: Int32Array;
  readonly data: Uint8Array;
  readonly nullCount: number;
  readonly validity: Uint8Array | undefined;
}

/** Longest value that is copied by a loop: below it the call into native code costs more than the bytes. */
const SHORT = 32;

/** Arrow's layout of some rows of a text column. Consecutive rows share the column's bytes, others are copied together. */
export function gatherText(column: TextColumn, range: RowRange): ArrowText {
  const { order, from, to } = range;
  const { lengths, starts, data } = column;
  const rows = to - from;
  const offsets = new Int32Array(rows + 1);
  if (order === undefined) {
    const first = starts[from]!;
    for (let i = 0; i <= rows; i++) offsets[i] = starts[from + i]! - first;
    return { offsets, data: data.subarray(first, starts[to]), ...validity(lengths, range, column.nulls) };
  }
  let size = 0;
  for (let i = 0; i < rows; i++) {
    const length = lengths[order[from + i]!]!;
    if (length > 0) size += length;
    offsets[i + 1] = size;
  }
  const gathered = new Uint8Array(size);
  let at = 0;
  for (let i = from; i < to; i++) {
    const row = order[i]!;
    const start = starts[row]!;
    const end = starts[row + 1]!;
    if (end - start > SHORT) {
      gathered.set(data.subarray(start, end), at);
      at += end - start;
    } else {
      for (let j = start; j < end; j++) gathered[at++] = data[j]!;
    }
  }
  return { offsets, data: gathered, ...validity(lengths, range, column.nulls) };
}

/** The validity bitmap of counts or lengths, of which negative ones are null; `nulls` is their number in all rows. */
export function validity(
  counts: Int32Array,
  { order, from, to }: RowRange,
  nulls: number,
): { nullCount: number; validity: Uint8Array | undefined } {
  if (nulls === 0) return { nullCount: 0, validity: undefined };
  // Arrow's buffers are padded to 8 bytes.
  const bitmap = new Uint8Array((((to - from + 7) >> 3) + 7) & ~7);
  let nullCount = 0;
  for (let i = from; i < to; i++) {
    const row = order === undefined ? i : order[i]!;
    if (counts[row]! < 0) nullCount++;
    else bitmap[(i - from) >> 3]! |= 1 << ((i - from) & 7);
  }
  return { nullCount, validity: nullCount === 0 ? undefined : bitmap };
}

/** The items of lists, as an order of items, with Arrow's n + 1 offsets into it. */
export function gatherItems(
  counts: Int32Array,
  starts: Int32Array,
  { order, from, to }: RowRange,
): { offsets: Int32Array; items: RowRange } {
  const offsets = new Int32Array(to - from + 1);
  if (order === undefined) {
    const first = starts[from]!;
    for (let i = 0; i <= to - from; i++) offsets[i] = starts[from + i]! - first;
    return { offsets, items: { order: undefined, from: first, to: starts[to]! } };
  }
  let total = 0;
  for (let i = from; i < to; i++) {
    const count = counts[order[i]!]!;
    if (count > 0) total += count;
    offsets[i - from + 1] = total;
  }
  const items = new Int32Array(total);
  for (let i = from, at = 0; i < to; i++) {
    const row = order[i]!;
    for (let item = starts[row]!; item < starts[row + 1]!; item++) items[at++] = item;
  }
  return { offsets, items: { order: items, from: 0, to: total } };
}

/** 64-bit integers from whole numbers that a float64 holds exactly. `value` gives that of a row. */
export function gatherInt64({ order, from, to }: RowRange, value: (row: number) => number): BigInt64Array {
  const words = new Uint32Array((to - from) * 2);
  for (let i = from, at = 0; i < to; i++) {
    const number = value(order === undefined ? i : order[i]!);
    // Two's complement by halves: BigInt() would allocate for each value.
    const high = Math.floor(number / 4294967296);
    words[at++] = number - high * 4294967296;
    words[at++] = high;
  }
  return new BigInt64Array(words.buffer);
}

const MINUS = 45;
const ZERO = 48;

/** `topic-partition-offset` of each row; `prefixes` holds the encoded `topic-partition-` of each slice. */
export function gatherIds(
  offset: Float64Array,
  sliceOf: Int32Array,
  prefixes: readonly Uint8Array[],
  { order, from, to }: RowRange,
): ArrowText {
  const longest = prefixes.reduce((most, prefix) => Math.max(most, prefix.length), 0) + 17;
  const data = new Uint8Array((to - from) * longest);
  const offsets = new Int32Array(to - from + 1);
  let at = 0;
  for (let i = from; i < to; i++) {
    const row = order === undefined ? i : order[i]!;
    const prefix = prefixes[sliceOf[row]!]!;
    for (let j = 0; j < prefix.length; j++) data[at++] = prefix[j]!;
    let rest = offset[row]!;
    if (rest < 0) {
      data[at++] = MINUS;
      rest = -rest;
    }
    let digits = 1;
    for (let power = 10; rest >= power; power *= 10) digits++;
    at += digits;
    let place = at;
    // Whole 32-bit numbers divide far faster than floats.
    while (rest > 0x7fffffff) {
      const quotient = Math.floor(rest / 10);
      data[--place] = ZERO + (rest - quotient * 10);
      rest = quotient;
    }
    let small = rest | 0;
    do {
      const quotient = (small / 10) | 0;
      data[--place] = ZERO + (small - quotient * 10);
      small = quotient;
    } while (place > at - digits);
    offsets[i - from + 1] = at;
  }
  return { offsets, data: data.subarray(0, at), nullCount: 0, validity: undefined };
}

import type { TextColumn } from '../merge.ts';
import { bitWidth, packBits, writeHybrid } from './bits.ts';
import type { Bounds, ChunkValues } from './chunk.ts';
import { DELTA_LIMIT, writeDelta } from './delta.ts';
import { GrowingBytes } from './growing-bytes.ts';
import { findDistinct } from './text-dictionary.ts';

/** Text: by a dictionary where asked for and values repeat, else PLAIN. `items` are those of the column that are not null. */
export function textValues(
  column: TextColumn,
  items: Int32Array,
  options: { readonly dictionary: boolean; readonly statistics: boolean },
): ChunkValues {
  const { data, lengths } = column;
  const distinct = options.dictionary ? findDistinct(column, items) : undefined;
  const bounds = options.statistics ? textBounds(column, distinct?.firsts ?? items) : undefined;
  if (!distinct) {
    return {
      encoding: 'PLAIN',
      bounds,
      valueBytes: 4 + data.length / Math.max(1, lengths.length),
      write: (output, from, to) => plainText(output, column, items, from, to),
    };
  }
  const { firsts, indices } = distinct;
  const entries = new GrowingBytes(firsts.length * 16);
  plainText(entries, column, firsts, 0, firsts.length);
  return indexedValues(indices, { bytes: entries.written(), count: firsts.length }, bounds);
}

function plainText(output: GrowingBytes, column: TextColumn, items: Int32Array, from: number, to: number) {
  const { starts, data } = column;
  for (let i = from; i < to; i++) {
    const item = items[i]!;
    const start = starts[item]!;
    const end = starts[item + 1]!;
    output.uint32(end - start);
    output.copy(data, start, end);
  }
}

/** By unsigned bytes, as Parquet orders text. */
function textBounds({ starts, data }: TextColumn, items: Int32Array): Bounds | undefined {
  if (items.length === 0) return undefined;
  let min = items[0]!;
  let max = min;
  const compare = (a: number, b: number) => {
    const end = Math.min(starts[a + 1]! - starts[a]!, starts[b + 1]! - starts[b]!);
    for (let i = starts[a]!, j = starts[b]!, left = end; left > 0; left--) {
      const difference = data[i++]! - data[j++]!;
      if (difference !== 0) return difference;
    }
    return starts[a + 1]! - starts[a]! - (starts[b + 1]! - starts[b]!);
  };
  for (let i = 1; i < items.length; i++) {
    const item = items[i]!;
    if (compare(item, min) < 0) min = item;
    else if (compare(item, max) > 0) max = item;
  }
  const copy = (item: number) => data.slice(starts[item], starts[item + 1]);
  return { min: copy(min), max: copy(max) };
}

/** Indices into a dictionary. */
export function indexedValues(
  indices: Int32Array,
  dictionary: { readonly bytes: Uint8Array<ArrayBuffer>; readonly count: number },
  bounds?: Bounds,
): ChunkValues {
  const width = bitWidth(Math.max(0, dictionary.count - 1));
  return {
    encoding: 'RLE_DICTIONARY',
    dictionary,
    bounds,
    valueBytes: width / 8,
    write(output, from, to) {
      output.uint8(width);
      writeHybrid(output, indices.subarray(from, to), width);
    },
  };
}

/** 64-bit numbers that mostly grow, as differences; PLAIN where those could be inexact. */
export function growingValues(values: Float64Array): ChunkValues {
  const exact = values.every((value) => Math.abs(value) <= DELTA_LIMIT);
  return {
    encoding: exact ? 'DELTA_BINARY_PACKED' : 'PLAIN',
    valueBytes: exact ? 4 : 8,
    bounds: int64Bounds(values),
    pageBounds: (from, to) => int64Bounds(values.subarray(from, to)),
    write(output, from, to) {
      if (exact) writeDelta(output, values.subarray(from, to));
      else writeInt64(output, values.subarray(from, to));
    },
  };
}

/** Least and greatest of 64-bit numbers. */
export function int64Bounds(values: Float64Array): Bounds | undefined {
  let min = Infinity;
  let max = -Infinity;
  for (const value of values) {
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return values.length === 0 ? undefined : { min: BigInt(min), max: BigInt(max) };
}

/** Appends whole numbers as int64, little-endian. */
export function writeInt64(output: GrowingBytes, values: Float64Array): void {
  for (const value of values) {
    // Two's complement by halves: BigInt() would allocate for each value.
    const high = Math.floor(value / 4294967296);
    output.uint32(value - high * 4294967296);
    output.uint32(high);
  }
}

/** 32-bit floats. */
export function floatValues(values: Float32Array): ChunkValues {
  let min = Infinity;
  let max = -Infinity;
  for (const value of values) {
    if (value < min) min = value;
    if (value > max) max = value;
  }
  // Zero has two forms: as a bound it must be below, or above, the other one.
  const bounds = { min: min === 0 ? -0 : min, max: max === 0 ? 0 : max };
  return {
    encoding: 'PLAIN',
    // Nothing but NaN has none, and neither have no values.
    bounds: min > max ? undefined : bounds,
    valueBytes: 4,
    write(output, from, to) {
      const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
      output.copy(bytes, from * 4, to * 4);
    },
  };
}

/** Booleans from bytes 0 and 1. */
export function booleanValues(values: Uint8Array): ChunkValues {
  return {
    encoding: 'PLAIN',
    bounds: values.length === 0 ? undefined : { min: !values.includes(0), max: values.includes(1) },
    valueBytes: 1 / 8,
    write(output, from, to) {
      packBits(output, values, { start: from, end: to, count: (to - from + 7) & ~7, width: 1 });
    },
  };
}

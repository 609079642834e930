import {
  Bool,
  Dictionary,
  Field,
  Float32,
  Int32,
  Int64,
  List,
  makeData,
  Map_,
  Struct,
  TimestampMicrosecond,
  Utf8,
  Vector,
  type Data,
} from 'apache-arrow';
import { gatherItems, gatherText, validity, type ArrowText, type RowRange } from './gather.ts';
import type { Columns, ListColumn, TextColumn } from './merge.ts';
import { NO_BOOLEAN } from './slice.ts';

const UTF8 = new Utf8();
const MICROS = new TimestampMicrosecond('UTC');
// Readers expect these names of the nested fields (Parquet's LogicalTypes).
const REASONS = new List(new Field('element', UTF8, false));
const METADATA = new Map_<Utf8, Utf8>(
  new Field(
    'key_value',
    new Struct<{ key: Utf8; value: Utf8 }>([new Field('key', UTF8, false), new Field('value', UTF8, true)]),
    false,
  ),
);

/** A category's values, and the value of each slice as an index (-1: null). */
export interface Category {
  readonly values: readonly string[];
  readonly ofSlice: Int32Array;
}

/** The values of a category that slices have as a constant of that name. */
export function categoryOf(constants: Columns['constants'], name: string): Category {
  const values: string[] = [];
  const known = new Map<string, number>();
  const ofSlice = Int32Array.from(constants, (slice) => {
    const word = slice[name] as string | null;
    if (word === null) return -1;
    let index = known.get(word);
    if (index === undefined) known.set(word, (index = values.push(word) - 1));
    return index;
  });
  return { values, ofSlice };
}

/** A category whose rows have an index into its values. */
export function codes(column: Uint8Array, values: readonly string[]): (range: RowRange) => Data<Dictionary> {
  const dictionary = dictionaryOf(values);
  return (range) => {
    const indices = new Int32Array(range.to - range.from);
    each(range, (row, i) => (indices[i] = column[row]!));
    return categoryData(dictionary, indices, 0, undefined);
  };
}

/** Booleans from a stream of 0, 1 and {@link NO_BOOLEAN}. */
export function booleanData(column: Uint8Array, range: RowRange): Data<Bool> {
  const length = range.to - range.from;
  // Arrow's buffers are padded to 8 bytes.
  const data = new Uint8Array((((length + 7) >> 3) + 7) & ~7);
  const present = new Int32Array(length);
  let nulls = 0;
  each(range, (row, i) => {
    const value = column[row]!;
    if (value === 1) data[i >> 3]! |= 1 << (i & 7);
    if (value !== NO_BOOLEAN) return;
    present[i] = -1;
    nulls++;
  });
  const { nullCount, validity: nullBitmap } = validity(
    present,
    { order: undefined, from: 0, to: length },
    nulls,
  );
  return makeData({ type: new Bool(), length, nullCount, nullBitmap, data });
}

function each({ order, from, to }: RowRange, visit: (row: number, i: number) => void): void {
  for (let i = from; i < to; i++) visit(order === undefined ? i : order[i]!, i - from);
}

/** Text as gather.ts lays it out. */
export function textData({ offsets, data, nullCount, validity: nullBitmap }: ArrowText): Data<Utf8> {
  return makeData({
    type: UTF8,
    length: offsets.length - 1,
    nullCount,
    nullBitmap,
    valueOffsets: offsets,
    data,
  });
}

/** Times in µs UTC. */
export function timestamps(data: BigInt64Array): Data<TimestampMicrosecond> {
  return makeData({ type: MICROS, length: data.length, nullCount: 0, data });
}

function dictionaryOf(values: readonly string[]): Vector<Utf8> {
  const encoded = values.map((value) => Buffer.from(value.toWellFormed()));
  const offsets = new Int32Array(values.length + 1);
  for (const [i, bytes] of encoded.entries()) offsets[i + 1] = offsets[i]! + bytes.length;
  return new Vector([
    makeData({
      type: UTF8,
      length: values.length,
      nullCount: 0,
      valueOffsets: offsets,
      data: Buffer.concat(encoded),
    }),
  ]);
}

function categoryData(
  dictionary: Vector<Utf8>,
  data: Int32Array,
  nullCount: number,
  nullBitmap: Uint8Array | undefined,
): Data<Dictionary> {
  return makeData({
    type: new Dictionary(UTF8, new Int32()),
    length: data.length,
    nullCount,
    nullBitmap,
    data,
    dictionary,
  });
}

/** A category that is the same for all rows of a slice. */
export function constant(
  { values, ofSlice }: Category,
  sliceOf: Int32Array,
): (range: RowRange) => Data<Dictionary> {
  const dictionary = dictionaryOf(values.length > 0 ? values : ['']);
  const indexOf = sliceOf.map((slice) => ofSlice[slice]!);
  const nulls = indexOf.reduce((sum, index) => sum + (index < 0 ? 1 : 0), 0);
  return (range) => {
    const indices = new Int32Array(range.to - range.from);
    each(range, (row, i) => (indices[i] = Math.max(0, indexOf[row]!)));
    const { nullCount, validity: bitmap } = validity(indexOf, range, nulls);
    return categoryData(dictionary, indices, nullCount, bitmap);
  };
}

/** Lists of text. */
export function listData({ counts, starts, parts, nulls }: ListColumn, range: RowRange): Data<List<Utf8>> {
  const { offsets, items } = gatherItems(counts, starts, range);
  const { nullCount, validity: nullBitmap } = validity(counts, range, nulls);
  const child = textData(gatherText(parts[0]!, items));
  return makeData({
    type: REASONS,
    length: range.to - range.from,
    nullCount,
    nullBitmap,
    valueOffsets: offsets,
    child,
  });
}

/** Maps of text to text. */
export function mapData(
  { counts, starts, parts, nulls }: ListColumn,
  range: RowRange,
): Data<Map_<Utf8, Utf8>> {
  const { offsets, items } = gatherItems(counts, starts, range);
  const { nullCount, validity: nullBitmap } = validity(counts, range, nulls);
  const child = makeData({
    type: METADATA.children[0]!.type,
    length: items.to - items.from,
    nullCount: 0,
    children: parts.map((part: TextColumn) => textData(gatherText(part, items))),
  });
  return makeData({
    type: METADATA,
    length: range.to - range.from,
    nullCount,
    nullBitmap,
    valueOffsets: offsets,
    child,
  });
}

/** Scores: a struct of a nullable float per label. */
export function scoresData({ scores }: Columns, type: Struct, range: RowRange): Data<Struct> {
  const length = range.to - range.from;
  const children = scores.map((column) => {
    const data = new Float32Array(length);
    const present = new Int32Array(length);
    let nulls = 0;
    each(range, (row, i) => {
      const score = column[row]!;
      if (Number.isNaN(score)) {
        present[i] = -1;
        nulls++;
      } else {
        data[i] = score;
      }
    });
    const { nullCount, validity: nullBitmap } = validity(
      present,
      { order: undefined, from: 0, to: length },
      nulls,
    );
    return makeData({ type: new Float32(), length, nullCount, nullBitmap, data });
  });
  return makeData({ type, length, nullCount: 0, children });
}

/** 32-bit numbers that are the same for all rows of a slice. */
export function constantInt32(ofSlice: Int32Array, sliceOf: Int32Array, range: RowRange): Data<Int32> {
  const data = new Int32Array(range.to - range.from);
  each(range, (row, i) => (data[i] = ofSlice[sliceOf[row]!]!));
  return makeData({ type: new Int32(), length: data.length, nullCount: 0, data });
}

/** 64-bit numbers as gather.ts makes them. */
export function int64Data(data: BigInt64Array): Data<Int64> {
  return makeData({ type: new Int64(), length: data.length, nullCount: 0, data });
}

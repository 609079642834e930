import { CorruptError } from '../errors.ts';
import type { TableName } from '../types.ts';
import { HEADER_BYTES, LAYOUTS, MAGIC, type SliceConstants } from './slice.ts';

/** Text of all rows: row i is `data[starts[i] .. starts[i + 1])`, null where `lengths[i]` is -1. */
export interface TextColumn {
  readonly lengths: Int32Array;
  readonly starts: Int32Array;
  readonly data: Uint8Array<ArrayBuffer>;
  readonly nulls: number;
}

/** Lists of all rows: row i has the items `starts[i] .. starts[i + 1]` of each part, null where `counts[i]` is -1. */
export interface ListColumn {
  readonly counts: Int32Array;
  readonly starts: Int32Array;
  readonly parts: readonly TextColumn[];
  readonly nulls: number;
}

/** Maps to numbers of all rows: row i has the entries `starts[i] .. starts[i + 1]`, null where `counts[i]` is -1. */
export interface NumberMapColumn {
  readonly counts: Int32Array;
  readonly starts: Int32Array;
  readonly keys: TextColumn;
  readonly values: Float32Array;
  readonly nulls: number;
}

/** The rows of many slices of a table, joined in the order of the slices. */
export interface Columns {
  readonly table: TableName;
  readonly rows: number;
  /** Constants of each slice, and the slice of each row. */
  readonly constants: readonly SliceConstants[];
  readonly sliceOf: Int32Array;
  readonly offset: Float64Array;
  /** µs UTC */
  readonly createdAt: Float64Array;
  /** Columns by name: times and whole numbers; indices into a category's values, booleans; text; lists, maps (parts: keys, values). */
  readonly numbers: ReadonlyMap<string, Float64Array>;
  readonly codes: ReadonlyMap<string, Uint8Array>;
  readonly texts: ReadonlyMap<string, TextColumn>;
  readonly lists: ReadonlyMap<string, ListColumn>;
  readonly numberMaps: ReadonlyMap<string, NumberMapColumn>;
  /** Labels of all slices, in order of first appearance, and per label the scores, NaN for none. */
  readonly labels: readonly string[];
  readonly scores: readonly Float32Array[];
}

interface Slice {
  readonly chunk: Uint8Array;
  readonly rows: number;
  readonly constants: SliceConstants;
  /** Per stream: first byte within the chunk, and number of bytes. */
  readonly starts: Int32Array;
  readonly sizes: Int32Array;
}

/**
 * Joins slices of a table, laid end to end in each chunk as slice-writer.ts writes them. Throws CorruptError when a chunk is
 * not that, or of another table. Chunks must start at a multiple of 8 of their ArrayBuffer.
 */
export function mergeSlices(chunks: readonly Uint8Array[], table: TableName): Columns {
  const slices = chunks.flatMap((chunk) => readSlices(chunk, table));
  const rows = slices.reduce((sum, slice) => sum + slice.rows, 0);
  const sliceOf = new Int32Array(rows);
  const labels = [...new Set(slices.flatMap((slice) => slice.constants.labels))];
  let row = 0;
  for (const [index, slice] of slices.entries()) sliceOf.fill(index, row, (row += slice.rows));
  const joined = joinColumns(slices, table);
  return {
    table,
    rows,
    constants: slices.map((slice) => slice.constants),
    sliceOf,
    offset: joined.numbers.get('offset')!,
    createdAt: joined.numbers.get('created_at')!,
    ...joined,
    labels,
    scores: joinScores(slices, labels, rows, LAYOUTS[table].count),
  };
}

function joinColumns(
  slices: readonly Slice[],
  table: TableName,
): Pick<Columns, 'numbers' | 'codes' | 'texts' | 'lists' | 'numberMaps'> {
  const numbers = new Map<string, Float64Array>();
  const codes = new Map<string, Uint8Array>();
  const texts = new Map<string, TextColumn>();
  const lists = new Map<string, ListColumn>();
  const numberMaps = new Map<string, NumberMapColumn>();
  for (const { column, first } of LAYOUTS[table].columns) {
    const { name, type } = column;
    switch (type) {
      case 'timestamp':
      case 'int64':
        numbers.set(name, new Float64Array(joinBytes(slices, first).buffer));
        break;
      case 'category':
      case 'boolean':
        codes.set(name, joinBytes(slices, first));
        break;
      case 'string':
        texts.set(
          name,
          joinText(slices, first, (slice) => slice.rows),
        );
        break;
      case 'list<string>':
        lists.set(name, joinLists(slices, first, 1));
        break;
      case 'map<string,string>':
        lists.set(name, joinLists(slices, first, 2));
        break;
      case 'map<string,float>':
        numberMaps.set(name, joinNumberMaps(slices, first));
        break;
      case 'int32':
      case 'scores':
        break;
    }
  }
  return { numbers, codes, texts, lists, numberMaps };
}

function readSlices(chunk: Uint8Array, table: TableName): Slice[] {
  const slices: Slice[] = [];
  const words = new Int32Array(chunk.buffer, chunk.byteOffset, chunk.byteLength >> 2);
  for (let at = 0; at < chunk.length;) {
    const head = at >> 2;
    const bytes = words[head + 1] ?? 0;
    if (words[head] !== MAGIC || bytes < HEADER_BYTES || at + bytes > chunk.length) {
      throw new CorruptError(
        `expected a slice at byte ${at} of a chunk of ${chunk.length}, got something else`,
      );
    }
    const constantBytes = words[head + 3]!;
    const count = words[head + 4]!;
    const first = head + HEADER_BYTES / 4;
    const sizes = words.subarray(first, first + count);
    const starts = new Int32Array(count);
    let position = at + HEADER_BYTES + count * 4;
    const json = Buffer.from(chunk.buffer, chunk.byteOffset + position, constantBytes).toString();
    position += constantBytes;
    for (let stream = 0; stream < count; stream++) {
      position = (position + 7) & ~7;
      starts[stream] = position;
      position += sizes[stream]!;
    }
    const constants: SliceConstants = JSON.parse(json);
    if (constants.table !== table) {
      throw new CorruptError(
        `expected a slice of table ${table} in a file of it, got one of ${constants.table}`,
      );
    }
    if (position > at + bytes || count !== LAYOUTS[table].count + constants.labels.length) {
      throw new CorruptError(
        `expected ${count} streams before byte ${at + bytes} of a chunk, got byte ${position}`,
      );
    }
    slices.push({ chunk, rows: words[head + 2]!, constants, starts, sizes });
    at += bytes;
  }
  return slices;
}

function joinBytes(slices: readonly Slice[], stream: number): Uint8Array<ArrayBuffer> {
  let size = 0;
  for (const slice of slices) size += slice.sizes[stream]!;
  // Places in a column are 32-bit numbers.
  if (size > 0x7fffffff) throw new Error(`expected less than 2 GiB in a column of a file, got ${size} bytes`);
  const joined = new Uint8Array(size);
  let at = 0;
  for (const { chunk, starts, sizes } of slices) {
    const bytes = sizes[stream]!;
    const start = starts[stream]!;
    if (bytes > 0) joined.set(chunk.subarray(start, start + bytes), at);
    at += bytes;
  }
  return joined;
}

/** Lengths or counts of all slices; an empty stream stands for nulls only. `count` is the number of values of a slice. */
function joinCounts(
  slices: readonly Slice[],
  stream: number,
  count: (slice: Slice) => number,
): Int32Array<ArrayBuffer> {
  let total = 0;
  for (const slice of slices) total += count(slice);
  const joined = new Int32Array(total);
  let at = 0;
  for (const slice of slices) {
    const values = count(slice);
    const start = slice.chunk.byteOffset + slice.starts[stream]!;
    if (slice.sizes[stream] === 0) joined.fill(-1, at, at + values);
    else joined.set(new Int32Array(slice.chunk.buffer, start, values), at);
    at += values;
  }
  return joined;
}

function prefixSums(counts: Int32Array): { starts: Int32Array<ArrayBuffer>; nulls: number } {
  const starts = new Int32Array(counts.length + 1);
  let nulls = 0;
  let sum = 0;
  for (let i = 0; i < counts.length; i++) {
    const count = counts[i]!;
    if (count > 0) sum += count;
    else if (count < 0) nulls++;
    starts[i + 1] = sum;
  }
  return { starts, nulls };
}

function joinText(slices: readonly Slice[], stream: number, count: (slice: Slice) => number): TextColumn {
  const lengths = joinCounts(slices, stream, count);
  return { lengths, ...prefixSums(lengths), data: joinBytes(slices, stream + 1) };
}

function joinLists(slices: readonly Slice[], stream: number, parts: number): ListColumn {
  const counts = joinCounts(slices, stream, (slice) => slice.rows);
  const items = (slice: Slice) => slice.sizes[stream + 1]! >> 2;
  return {
    counts,
    ...prefixSums(counts),
    parts: Array.from({ length: parts }, (_, part) => joinText(slices, stream + 1 + part * 2, items)),
  };
}

function joinNumberMaps(slices: readonly Slice[], stream: number): NumberMapColumn {
  const { parts, ...column } = joinLists(slices, stream, 1);
  const values = new Float32Array(joinBytes(slices, stream + 3).buffer);
  return { ...column, keys: parts[0]!, values };
}

function joinScores(
  slices: readonly Slice[],
  labels: readonly string[],
  rows: number,
  first: number,
): Float32Array[] {
  return labels.map((label) => {
    const scores = new Float32Array(rows);
    let at = 0;
    for (const slice of slices) {
      const index = slice.constants.labels.indexOf(label);
      if (index < 0) scores.fill(NaN, at, at + slice.rows);
      else {
        const start = slice.chunk.byteOffset + slice.starts[first + index]!;
        scores.set(new Float32Array(slice.chunk.buffer, start, slice.rows), at);
      }
      at += slice.rows;
    }
    return scores;
  });
}

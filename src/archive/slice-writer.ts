import type { Arena } from './arena.ts';
import type { ColumnType } from './columns.ts';
import type { ScoreMap } from '../types.ts';
import { HEADER_BYTES, MAGIC, NO_BOOLEAN } from './slice.ts';

/** The values of a column for all rows of a batch. */
export interface ValuesByType {
  readonly timestamp: Float64Array;
  readonly int64: Float64Array;
  readonly category: Uint8Array;
  readonly boolean: readonly (boolean | null)[];
  readonly string: readonly (string | null)[];
  readonly 'list<string>': readonly (readonly string[] | null)[];
  /** Flat [key, value, key, value …]. */
  readonly 'map<string,string>': readonly (readonly string[] | null)[] | null;
  /** Rounded to four decimals. Of both maps: null where no row has one. */
  readonly 'map<string,float>': readonly (ScoreMap | null)[] | null;
}

/** A column of a batch that becomes streams. */
export type ColumnValues = {
  readonly [Type in keyof ValuesByType]: { readonly type: Type; readonly values: ValuesByType[Type] };
}[keyof ValuesByType];

/** The types of {@link ColumnValues}. */
export type StreamType = Extract<ColumnType, keyof ValuesByType>;

/** Scores of all rows of a batch: rows × labels, row-major. */
export interface Scores {
  readonly labels: number;
  readonly values: Float32Array;
}

/** The columns of a batch, all rows of it. */
export interface BatchColumns {
  /** In the order of the table's layout. */
  readonly columns: readonly ColumnValues[];
  /** How many streams they make. */
  readonly streams: number;
  readonly scores: Scores;
}

/** Appends the slice of these rows, in their order, with constants as JSON text. The arena must stand at a multiple of 8. */
export type WriteSlice = (members: Int32Array, constants: string) => void;

/** Writes slices of one batch, as slice.ts describes them, into an arena. Made once a batch: slices may be of a few rows each. */
export function createSliceWriter(arena: Arena, { columns, streams, scores }: BatchColumns): WriteSlice {
  /** Where the sizes of the slice's streams are, as an index of 32-bit words; the stream that is next. */
  let sizes = 0;
  let stream = 0;
  let begun = 0;
  const begin = (bytes: number) => {
    arena.align();
    arena.ensure(bytes);
    begun = arena.position;
  };
  const end = () => {
    arena.int32[sizes + stream++] = arena.position - begun;
  };

  const numbers = (members: Int32Array, values: Float64Array) => {
    const rows = members.length;
    begin(rows * 8);
    const { float64 } = arena;
    for (let i = 0, at = begun >> 3; i < rows; i++) float64[at++] = values[members[i]!]!;
    arena.position += rows * 8;
    end();
  };

  const codes = (members: Int32Array, values: Uint8Array) => {
    const rows = members.length;
    begin(rows);
    const { bytes } = arena;
    for (let i = 0, at = begun; i < rows; i++) bytes[at++] = values[members[i]!]!;
    arena.position += rows;
    end();
  };

  const booleans = (members: Int32Array, values: readonly (boolean | null)[]) => {
    const rows = members.length;
    begin(rows);
    const { bytes } = arena;
    for (let i = 0, at = begun; i < rows; i++) {
      const value = values[members[i]!]!;
      bytes[at++] = value === null ? NO_BOOLEAN : value ? 1 : 0;
    }
    arena.position += rows;
    end();
  };

  const text = (members: Int32Array, values: readonly (string | null)[]) => {
    const rows = members.length;
    begin(rows * 4);
    const lengths = begun >> 2;
    const dataAt = (begun + rows * 4 + 7) & ~7;
    arena.ensure(rows * 4 + 8);
    arena.position = dataAt;
    let some = false;
    for (let i = 0; i < rows; i++) {
      const value = values[members[i]!]!;
      if (value !== null) some = true;
      const bytes = value === null ? -1 : arena.text(value);
      arena.int32[lengths + i] = bytes;
    }
    if (!some) arena.position = begun;
    arena.int32[sizes + stream++] = some ? rows * 4 : 0;
    arena.int32[sizes + stream++] = some ? arena.position - dataAt : 0;
  };

  /** Counts of each row's list, then lengths and bytes of every `step`-th item, for each part of an item. */
  const lists = (
    members: Int32Array,
    values: readonly (readonly string[] | null)[] | null,
    parts: number,
  ) => {
    if (values === null) return skip(1 + 2 * parts);
    const rows = members.length;
    begin(rows * 4);
    let items = 0;
    let some = false;
    for (let i = 0, at = begun >> 2; i < rows; i++) {
      const value = values[members[i]!]!;
      if (value !== null) some = true;
      const count = value === null ? -1 : value.length / parts;
      arena.int32[at++] = count;
      if (count > 0) items += count;
    }
    if (some) arena.position += rows * 4;
    end();
    for (let part = 0; part < parts; part++) {
      begin(items * 4);
      const lengths = begun >> 2;
      arena.position += items * 4;
      end();
      begin(0);
      for (let i = 0, item = 0; item < items; i++) {
        const value = values[members[i]!]!;
        if (value === null) continue;
        for (let j = part; j < value.length; j += parts) {
          const bytes = arena.text(value[j]!);
          arena.int32[lengths + item++] = bytes;
        }
      }
      end();
    }
  };

  /** Streams without anything: nulls only. */
  const skip = (count: number) => {
    for (let i = 0; i < count; i++) arena.int32[sizes + stream++] = 0;
  };

  /** Counts of each row's entries, lengths and bytes of their keys, then their values. */
  const scoreMaps = (members: Int32Array, values: readonly (ScoreMap | null)[] | null) => {
    if (values === null) return skip(4);
    const maps = Array.from(members, (row) => values[row]!);
    lists(
      Int32Array.from(maps.keys()),
      maps.map((map) => map && map.keys),
      1,
    );
    const items = maps.reduce((sum, map) => sum + (map?.keys.length ?? 0), 0);
    begin(items * 4);
    let at = begun >> 2;
    for (const map of maps)
      for (const value of map?.values ?? []) arena.float32[at++] = Math.round(value * 1e4) / 1e4;
    arena.position += items * 4;
    end();
  };

  const write = (members: Int32Array, column: ColumnValues) => {
    switch (column.type) {
      case 'timestamp':
      case 'int64':
        return numbers(members, column.values);
      case 'category':
        return codes(members, column.values);
      case 'boolean':
        return booleans(members, column.values);
      case 'string':
        return text(members, column.values);
      case 'list<string>':
        return lists(members, column.values, 1);
      case 'map<string,string>':
        return lists(members, column.values, 2);
      case 'map<string,float>':
        return scoreMaps(members, column.values);
    }
  };

  const score = (members: Int32Array, label: number) => {
    const rows = members.length;
    const { values, labels } = scores;
    begin(rows * 4);
    const { float32 } = arena;
    for (let i = 0, at = begun >> 2; i < rows; i++) {
      float32[at++] = Math.round(values[members[i]! * labels + label]! * 1e4) / 1e4;
    }
    arena.position += rows * 4;
    end();
  };

  return (members, constants) => {
    stream = 0;
    const start = arena.position;
    sizes = (start + HEADER_BYTES) >> 2;
    const head = HEADER_BYTES + (streams + scores.labels) * 4;
    arena.ensure(head);
    arena.position += head;
    const constantBytes = arena.text(constants);
    for (const column of columns) write(members, column);
    for (let label = 0; label < scores.labels; label++) score(members, label);
    arena.align();
    const header = start >> 2;
    arena.int32[header] = MAGIC;
    arena.int32[header + 1] = arena.position - start;
    arena.int32[header + 2] = members.length;
    arena.int32[header + 3] = constantBytes;
    arena.int32[header + 4] = stream;
  };
}

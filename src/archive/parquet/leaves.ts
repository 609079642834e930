import type { SchemaElement } from 'hyparquet';
import type { Column } from '../columns.ts';
import type { Columns, TextColumn } from '../merge.ts';
import { NO_BOOLEAN } from '../slice.ts';
import type { Bounds, Chunk, ChunkValues } from './chunk.ts';
import { GrowingBytes } from './growing-bytes.ts';
import { idValues } from './ids.ts';
import { listEntries, optional, required } from './levels.ts';
import { elementsOf } from './schema.ts';
import {
  booleanValues,
  floatValues,
  growingValues,
  indexedValues,
  int64Bounds,
  textValues,
  writeInt64,
} from './values.ts';

/** A primitive column of the file: what Parquet calls a leaf of its schema. */
export interface Leaf {
  readonly element: SchemaElement;
  readonly path: readonly string[];
  readonly maxDefinition: number;
  readonly maxRepetition: number;
  /** Its chunk of a row group. */
  read(rows: Int32Array): Chunk;
}

/** The leaves of a column, in the order of {@link elementsOf}. */
export function leavesOf(column: Column, columns: Columns): Leaf[] {
  const elements = elementsOf(column, columns.labels);
  const { name, type, nullable } = column;
  const flat = (read: Leaf['read']): Leaf[] => [
    { element: elements[0]!, path: [name], maxDefinition: nullable ? 1 : 0, maxRepetition: 0, read },
  ];
  if (column.from === 'position') return flat(idsOf(columns));
  if (column.from === 'slice') return flat(constantsOf(column, columns));
  switch (type) {
    case 'string': {
      const text = columns.texts.get(name)!;
      return flat((rows) => textChunk(text, rows, column));
    }
    case 'category':
      return flat(codesOf(column, columns.codes.get(name)!));
    case 'boolean': {
      const codes = columns.codes.get(name)!;
      return flat((rows) => {
        const { levels, filled } = optional(rows, (row) => codes[row] === NO_BOOLEAN);
        return { levels, values: booleanValues(pick(codes, filled, new Uint8Array(filled.length))) };
      });
    }
    case 'timestamp':
    case 'int64': {
      const numbers = columns.numbers.get(name)!;
      return flat((rows) => ({
        levels: required(rows),
        values: growingValues(pick(numbers, rows, new Float64Array(rows.length))),
      }));
    }
    case 'list<string>':
    case 'map<string,string>': {
      const lists = columns.lists.get(name)!;
      const parts = type === 'list<string>' ? ['list.element'] : ['key_value.key', 'key_value.value'];
      return parts.map((path, part) => {
        const text = lists.parts[part]!;
        const mayBeNull = path.endsWith('value');
        return {
          element: elements[2 + part]!,
          path: [name, ...path.split('.')],
          maxDefinition: mayBeNull ? 3 : 2,
          maxRepetition: 1,
          read(rows) {
            const isNull = mayBeNull ? (item: number) => text.lengths[item]! < 0 : undefined;
            const { levels, filled } = listEntries(lists, rows, isNull);
            return { levels, values: textValues(text, filled, { dictionary: true, statistics: true }) };
          },
        };
      });
    }
    case 'map<string,float>': {
      const maps = columns.numberMaps.get(name)!;
      return [
        {
          element: elements[2]!,
          path: [name, 'key_value', 'key'],
          maxDefinition: 2,
          maxRepetition: 1,
          read(rows) {
            const { levels, filled } = listEntries(maps, rows);
            return { levels, values: textValues(maps.keys, filled, { dictionary: true, statistics: true }) };
          },
        },
        {
          element: elements[3]!,
          path: [name, 'key_value', 'value'],
          maxDefinition: 3,
          maxRepetition: 1,
          read(rows) {
            const { levels, filled } = listEntries(maps, rows, () => false);
            return {
              levels,
              values: floatValues(pick(maps.values, filled, new Float32Array(filled.length))),
            };
          },
        },
      ];
    }
    case 'scores':
      return columns.scores.map((scores, label) => ({
        element: elements[1 + label]!,
        path: [name, columns.labels[label]!],
        // The struct itself is always there.
        maxDefinition: 2,
        maxRepetition: 0,
        read(rows) {
          const { levels, filled } = optional(rows, (row) => Number.isNaN(scores[row]!), 2);
          return { levels, values: floatValues(pick(scores, filled, new Float32Array(filled.length))) };
        },
      }));
    case 'int32':
      break;
  }
  throw new Error(`column ${name}: no stream holds values of type ${type}`);
}

/** The values of some rows. A loop: `from` with a function costs ten times as much. */
function pick<Into extends Uint8Array | Int32Array | Float32Array | Float64Array>(
  values: ArrayLike<number>,
  rows: Int32Array,
  into: Into,
): Into {
  for (let i = 0; i < rows.length; i++) into[i] = values[rows[i]!]!;
  return into;
}

function textChunk(text: TextColumn, rows: Int32Array, { dictionary, statistics }: Column): Chunk {
  const { lengths, nulls } = text;
  const { levels, filled } =
    nulls === 0 ? { levels: required(rows), filled: rows } : optional(rows, (row) => lengths[row]! < 0);
  return {
    levels,
    values: textValues(text, filled, {
      dictionary: dictionary !== false,
      statistics: statistics !== false,
    }),
  };
}

function idsOf({ constants, sliceOf, offset }: Columns): Leaf['read'] {
  const text = new TextEncoder();
  const prefixes = constants.map(({ topic, partition }) => text.encode(`${topic}-${partition}-`));
  return (rows) => ({ levels: required(rows), values: idValues(offset, sliceOf, prefixes, rows) });
}

/** A category whose rows have an index into its values. */
function codesOf({ type, values = [] }: Column, codes: Uint8Array): Leaf['read'] {
  const valuesOf = someOf(type, values);
  return (rows) => {
    const indices = pick(codes, rows, new Int32Array(rows.length));
    return { levels: required(rows), values: valuesOf(indices) };
  };
}

/** What is the same for all rows of a slice: an index into the distinct values of all slices. */
function constantsOf({ name, type }: Column, { constants, sliceOf }: Columns): Leaf['read'] {
  const distinct = new Map<unknown, number>();
  const ofSlice = Int32Array.from(constants, (slice) => {
    const value = slice[name] ?? null;
    if (value === null) return -1;
    let index = distinct.get(value);
    if (index === undefined) distinct.set(value, (index = distinct.size));
    return index;
  });
  const valuesOf = someOf(type, [...distinct.keys()]);
  const hasNull = ofSlice.includes(-1);
  return (rows) => {
    const { levels, filled } = hasNull
      ? optional(rows, (row) => ofSlice[sliceOf[row]!]! < 0)
      : { levels: required(rows), filled: rows };
    const indices = new Int32Array(filled.length);
    for (let i = 0; i < filled.length; i++) indices[i] = ofSlice[sliceOf[filled[i]!]!]!;
    return { levels, values: valuesOf(indices) };
  };
}

/**
 * The values that some rows have, by their indices into all of the file, which are written over. The dictionary and the
 * bounds are of these rows alone: readers skip row groups by them, and a file can have as many slices as rows.
 */
function someOf(type: Column['type'], all: readonly unknown[]): (indices: Int32Array) => ChunkValues {
  const places = new Int32Array(all.length).fill(-1);
  return (indices) => {
    const used: number[] = [];
    for (let i = 0; i < indices.length; i++) {
      const index = indices[i]!;
      if (places[index]! < 0) places[index] = used.push(index) - 1;
      indices[i] = places[index]!;
    }
    for (const index of used) places[index] = -1;
    const dictionary = dictionaryOf(
      type,
      used.map((index) => all[index]),
    );
    return indexedValues(indices, dictionary, dictionary.bounds);
  };
}

interface Dictionary {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly count: number;
  readonly bounds?: Bounds;
}

function dictionaryOf(type: Column['type'], values: readonly unknown[]): Dictionary {
  if (type === 'category') return textDictionary(values.map(String));
  const output = new GrowingBytes(values.length * 8);
  if (type === 'timestamp') {
    const micros = Float64Array.from(values, (millis) => Number(millis) * 1000);
    writeInt64(output, micros);
    const bounds = int64Bounds(micros);
    return { bytes: output.written(), count: values.length, ...(bounds ? { bounds } : {}) };
  }
  if (type !== 'int32') throw new Error(`no slice has constants of type ${type}`);
  const numbers = values.map(Number);
  for (const number of numbers) output.uint32(number);
  const bounds = { min: Math.min(...numbers), max: Math.max(...numbers) };
  return { bytes: output.written(), count: numbers.length, ...(numbers.length > 0 ? { bounds } : {}) };
}

function textDictionary(values: readonly string[]): Dictionary {
  const encoded = values.map((value) => Buffer.from(value.toWellFormed()));
  const output = new GrowingBytes(values.length * 16);
  for (const bytes of encoded) {
    output.uint32(bytes.length);
    output.copy(bytes, 0, bytes.length);
  }
  const sorted = encoded.toSorted((a, b) => a.compare(b));
  const bounds = { min: sorted[0]!, max: sorted.at(-1)! };
  return { bytes: output.written(), count: values.length, ...(values.length > 0 ? { bounds } : {}) };
}

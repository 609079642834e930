import {
  Field,
  Float32,
  makeData,
  RecordBatch,
  RecordBatchStreamWriter,
  Schema,
  Struct,
  type Data,
  type TypeMap,
} from 'apache-arrow';
import {
  booleanData,
  categoryOf,
  codes,
  constant,
  constantInt32,
  int64Data,
  listData,
  mapData,
  scoresData,
  textData,
  timestamps,
} from './arrow-data.ts';
import type { Column } from './columns.ts';
import { gatherIds, gatherInt64, gatherText, type RowRange } from './gather.ts';
import type { Columns } from './merge.ts';
import { TABLES } from './tables.ts';

/** Turns row ranges of one file into Arrow IPC streams of one record batch each. */
export interface ArrowEncoder {
  /** One record batch as a complete IPC stream. */
  encode(range: RowRange): Uint8Array;
}

/** Makes a column's data for some rows. */
type Builder = (range: RowRange) => Data;

/**
 * Prepares what all row groups of a file share. The schema is that of the table; `scores` is left out when the columns
 * have no labels, since Parquet knows no struct without fields.
 */
export function createArrowEncoder(columns: Columns): ArrowEncoder {
  const present = TABLES[columns.table].columns
    .filter(({ type }) => type !== 'scores' || columns.labels.length > 0)
    .map((column) => ({ ...column, build: builderOf(column, columns) }));
  return {
    encode(range) {
      const children = present.map(({ build }) => build(range));
      const schema = new Schema<TypeMap>(
        present.map(({ name, nullable }, i) => new Field(name, children[i]!.type, nullable)),
      );
      const length = range.to - range.from;
      const batch = new RecordBatch(
        schema,
        makeData({ type: new Struct<TypeMap>(schema.fields), length, nullCount: 0, children }),
      );
      return RecordBatchStreamWriter.writeAll([batch]).toUint8Array(true);
    },
  };
}

function builderOf(column: Column, columns: Columns): Builder {
  if (column.from === 'position') return idsOf(columns);
  return column.from === 'slice' ? constantsOf(column, columns) : valuesOf(column, columns);
}

function idsOf({ constants, sliceOf, offset }: Columns): Builder {
  const text = new TextEncoder();
  const prefixes = constants.map(({ topic, partition }) => text.encode(`${topic}-${partition}-`));
  return (range) => textData(gatherIds(offset, sliceOf, prefixes, range));
}

function constantsOf({ name, type }: Column, { constants, sliceOf }: Columns): Builder {
  if (type === 'category') return constant(categoryOf(constants, name), sliceOf);
  if (type === 'timestamp') {
    const times = Float64Array.from(constants, (slice) => Number(slice[name]) * 1000);
    return (range) => timestamps(gatherInt64(range, (row) => times[sliceOf[row]!]!));
  }
  if (type !== 'int32') throw new Error(`column ${name}: no slice has constants of type ${type}`);
  const numbers = Int32Array.from(constants, (slice) => Number(slice[name]));
  return (range) => constantInt32(numbers, sliceOf, range);
}

function valuesOf({ name, type, values = [] }: Column, columns: Columns): Builder {
  switch (type) {
    case 'string': {
      const column = columns.texts.get(name)!;
      return (range) => textData(gatherText(column, range));
    }
    case 'category':
      return codes(columns.codes.get(name)!, values);
    case 'boolean':
      return (range) => booleanData(columns.codes.get(name)!, range);
    case 'timestamp': {
      const micros = columns.numbers.get(name)!;
      return (range) => timestamps(gatherInt64(range, (row) => micros[row]!));
    }
    case 'int64': {
      const numbers = columns.numbers.get(name)!;
      return (range) => int64Data(gatherInt64(range, (row) => numbers[row]!));
    }
    case 'list<string>':
      return (range) => listData(columns.lists.get(name)!, range);
    case 'map<string,string>':
      return (range) => mapData(columns.lists.get(name)!, range);
    case 'scores': {
      const struct = new Struct(columns.labels.map((label) => new Field(label, new Float32(), true)));
      return (range) => scoresData(columns, struct, range);
    }
    case 'int32':
      break;
  }
  throw new Error(`column ${name}: no stream holds values of type ${type}`);
}

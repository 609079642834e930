import type { TableName } from '../types.ts';
import type { Column, ColumnType, Table } from './columns.ts';
import { TABLES } from './tables.ts';

/**
 * A slice is the rows of one customer and one day of one batch:
 *
 *     int32 × 5   magic, bytes in all (a multiple of 8), rows, bytes of the constants, n = streams
 *     int32 × n   bytes of each stream
 *     constants   JSON: what all rows share ({@link SliceConstants})
 *     streams     each starts at a multiple of 8
 *
 * The streams are those of the table's columns that have a value for each row, in their order, then those of the scores
 * (float32, one per label, NaN: none). A stream is the values of one column, in row order, with nothing that depends on its
 * neighbours: text is a stream of byte lengths (-1: null) and a stream of bytes. So rows of many slices are joined by joining
 * their streams, and offsets and levels are made once per file. Text and lists without any value have empty streams.
 */
export const MAGIC = 0x31434c53;
/** Bytes of the header before the streams' sizes. */
export const HEADER_BYTES = 20;
/** A boolean that is null, in a stream of 0 and 1. */
export const NO_BOOLEAN = 255;

/** What all rows of a slice share: beside what every table has, the columns `from: 'slice'` by name; times in milliseconds UTC. */
export interface SliceConstants {
  readonly table: TableName;
  readonly labels: readonly string[];
  readonly customer: string;
  readonly topic: string;
  readonly partition: number;
  readonly [column: string]: unknown;
}

/** How many streams the values of a column make; those of scores come last, one per label. */
const STREAMS: Record<ColumnType, number> = {
  // float64
  timestamp: 1,
  int64: 1,
  // uint8: index into the column's values; 0, 1 or NO_BOOLEAN
  category: 1,
  boolean: 1,
  // int32 lengths, then bytes
  string: 2,
  // int32 counts (-1: null), int32 lengths of the items, bytes
  'list<string>': 3,
  // int32 counts of entries (-1: null), int32 lengths of keys, bytes of keys, lengths of values, bytes of values
  'map<string,string>': 5,
  // int32 counts of entries (-1: null), int32 lengths of keys, bytes of keys, float32 values
  'map<string,float>': 4,
  int32: 0,
  scores: 0,
};

/** Where the streams of a table's columns are in its slices. */
export interface SliceLayout {
  /** Columns with streams, in order, and the index of the first one of each. */
  readonly columns: readonly { readonly column: Column; readonly first: number }[];
  /** Number of streams before those of the scores. */
  readonly count: number;
}

/** Layouts by table. */
export const LAYOUTS: Readonly<Record<TableName, SliceLayout>> = {
  content: layoutOf(TABLES.content),
  feedback: layoutOf(TABLES.feedback),
};

function layoutOf(table: Table): SliceLayout {
  const columns: { readonly column: Column; readonly first: number }[] = [];
  let count = 0;
  for (const column of table.columns) {
    if (column.from !== 'row' || column.type === 'scores') continue;
    columns.push({ column, first: count });
    count += STREAMS[column.type];
  }
  return { columns, count };
}

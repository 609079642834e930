import type { DecodedMessages, RawBatch, ShardSlice } from '../types.ts';
import { Arena } from './arena.ts';
import type { Table } from './columns.ts';
import type { PartitionKey } from './config.ts';
import { groupRows } from './group-rows.ts';
import { LAYOUTS } from './slice.ts';
import { createSliceWriter, type ColumnValues, type StreamType, type ValuesByType } from './slice-writer.ts';

type ColumnOf<Of extends Table> = Of['columns'][number];

/** A value for each row of every column of a table that has streams; what the position gives is left out. */
export type RowValues<Of extends Table> = {
  readonly [
    Column in ColumnOf<Of> as Column extends { from: 'row'; type: StreamType }
      ? Exclude<Column['name'], 'offset' | 'created_at' | 'metadata' | 'content_id'>
      : never
  ]: Column extends { type: infer Type extends StreamType } ? ValuesByType[Type] : never;
};

/** The constants of a table's slices, the customer and the position left out. */
export type SliceValues<Of extends Table> = {
  readonly [
    Column in ColumnOf<Of> as Column extends { from: 'slice' }
      ? Exclude<Column['name'], 'customer' | 'topic' | 'partition' | 'received_at'>
      : never
  ]: string | number | null;
};

/** What {@link encodeTableSlices} takes. */
export interface TableSlicesInput<Of extends Table> {
  readonly table: Of;
  readonly raw: Pick<RawBatch, 'topic' | 'partition' | 'offsets' | 'receivedAt'>;
  readonly decoded: DecodedMessages;
  readonly values: RowValues<Of>;
  /** Constants of all slices, and those of the slice with these rows. */
  readonly constants: Partial<SliceValues<Of>>;
  readonly ofSlice?: (members: Int32Array) => Partial<SliceValues<Of>>;
  readonly labels?: readonly string[];
  /** rows × labels, row-major, 0 to 1, NaN for none. */
  readonly scores?: Float32Array;
  readonly partitionBy: readonly PartitionKey[];
  /** Rows of different kinds are in different slices; absent: there is one kind. */
  readonly kinds?: Uint16Array | undefined;
  /** Rows that are left out. */
  readonly without?: ReadonlySet<number>;
  /** About the bytes of a row: how large the arena begins. */
  readonly rowBytes: number;
}

/** What {@link encodeTableSlices} gives: `arena` is to be transferred; `shards` lie in it one after the other. */
export interface TableSlices {
  readonly arena: Uint8Array<ArrayBuffer>;
  readonly shards: ShardSlice[];
  /** Rows of the batch in the order of the slices. */
  readonly order: Int32Array;
}

const NOBODY: ReadonlySet<number> = new Set();
const NONE = new Float32Array(0);

/** Columns of one batch as slices of a table, grouped by customer, day and kind in order of first appearance. */
export function encodeTableSlices<Of extends Table>(input: TableSlicesInput<Of>): TableSlices {
  const { table, raw, decoded, ofSlice, labels = [], scores = NONE, partitionBy, without = NOBODY } = input;
  const { kinds } = input;
  const { groups, order } = groupRows({ ...decoded, partitionBy, kinds, without });
  const shared = JSON.stringify({
    table: table.name,
    topic: raw.topic,
    partition: raw.partition,
    received_at: raw.receivedAt,
    ...input.constants,
    labels,
  }).slice(0, -1);
  const arena = new Arena(order.length * input.rowBytes + groups.length * 512);
  const write = createSliceWriter(arena, {
    columns: columnsOf(input),
    streams: LAYOUTS[table.name].count,
    scores: { labels: labels.length, values: scores },
  });
  const shards: ShardSlice[] = [];
  for (const { customer, day, rows, start: from } of groups) {
    const start = arena.position;
    const members = order.subarray(from, from + rows);
    const own = JSON.stringify({ ...ofSlice?.(members), customer }).slice(1);
    write(members, `${shared},${own}`);
    shards.push({ table: table.name, customer, day, rows, start, end: arena.position });
  }
  return { arena: new Uint8Array(arena.bytes.buffer, 0, arena.position), shards, order };
}

function columnsOf<Of extends Table>({ table, raw, decoded, values }: TableSlicesInput<Of>): ColumnValues[] {
  const offset = new Float64Array(decoded.rows);
  for (let row = 0; row < offset.length; row++) offset[row] = raw.offsets[decoded.index[row]!]!;
  const all: Readonly<Record<string, unknown>> = {
    ...values,
    content_id: decoded.contentId,
    created_at: decoded.createdAt,
    metadata: decoded.metadata,
    offset,
  };
  // RowValues has the type of each column's values.
  return LAYOUTS[table.name].columns.map(
    ({ column: { name, type } }) => ({ type, values: all[name] }) as ColumnValues,
  );
}

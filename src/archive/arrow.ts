import {
  Dictionary,
  Field,
  Float32,
  Int32,
  Int64,
  List,
  makeData,
  Map_,
  RecordBatch,
  RecordBatchStreamWriter,
  Schema,
  Struct,
  TimestampMicrosecond,
  Utf8,
  Vector,
  type Data,
  type TypeMap,
} from 'apache-arrow';
import { ACTIONS } from '../types.ts';
import { COLUMNS, type ColumnName } from './columns.ts';
import {
  gatherIds,
  gatherInt64,
  gatherItems,
  gatherText,
  validity,
  type ArrowText,
  type RowRange,
} from './gather.ts';
import type { Columns, ListColumn, TextColumn } from './merge.ts';

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
interface Category {
  readonly values: readonly string[];
  readonly ofSlice: Int32Array;
}

/** Turns row ranges of one file into Arrow IPC streams of one record batch each. */
export interface ArrowEncoder {
  /** One record batch as a complete IPC stream. */
  encode(range: RowRange): Uint8Array;
}

/**
 * Prepares what all row groups of a file share. The schema is that of columns.ts; `scores` is left out when the columns
 * have no labels, since Parquet knows no struct without fields.
 */
export function createArrowEncoder(columns: Columns): ArrowEncoder {
  const text = new TextEncoder();
  const { constants, sliceOf } = columns;
  const prefixes = constants.map(({ topic, partition }) => text.encode(`${topic}-${partition}-`));
  const category = (value: (slice: Columns['constants'][number]) => string | null): Category => {
    const values: string[] = [];
    const known = new Map<string, number>();
    const ofSlice = Int32Array.from(constants, (slice) => {
      const word = value(slice);
      if (word === null) return -1;
      let index = known.get(word);
      if (index === undefined) known.set(word, (index = values.push(word) - 1));
      return index;
    });
    return { values, ofSlice };
  };
  const customers = category((slice) => slice.customer);
  const topics = category((slice) => slice.topic);
  const models = category((slice) => slice.model);
  const policies = category((slice) => slice.policy);
  const scoresType = new Struct(columns.labels.map((label) => new Field(label, new Float32(), true)));
  const actions = dictionaryOf(ACTIONS);
  const builders: Record<ColumnName, (range: RowRange) => Data> = {
    id: (range) => textData(gatherIds(columns.offset, sliceOf, prefixes, range)),
    customer: constant(customers, sliceOf),
    content_id: (range) => textData(gatherText(columns.contentId, range)),
    user_id: (range) => textData(gatherText(columns.userId, range)),
    content: (range) => textData(gatherText(columns.content, range)),
    content_type: (range) => textData(gatherText(columns.contentType, range)),
    language: (range) => textData(gatherText(columns.language, range)),
    created_at: (range) => timestamps(gatherInt64(range, (row) => columns.createdAt[row]!)),
    received_at: (range) =>
      timestamps(gatherInt64(range, (row) => constants[sliceOf[row]!]!.receivedAt * 1000)),
    decided_at: (range) =>
      timestamps(gatherInt64(range, (row) => constants[sliceOf[row]!]!.decidedAt * 1000)),
    action: (range) => {
      const indices = new Int32Array(range.to - range.from);
      each(range, (row, i) => (indices[i] = columns.action[row]!));
      return categoryData(actions, indices, 0, undefined);
    },
    reasons: (range) => listData(columns.reasons, range),
    scores: (range) => scoresData(columns, scoresType, range),
    model: constant(models, sliceOf),
    policy: constant(policies, sliceOf),
    metadata: (range) => mapData(columns.metadata, range),
    topic: constant(topics, sliceOf),
    partition: (range) => {
      const data = new Int32Array(range.to - range.from);
      each(range, (row, i) => (data[i] = constants[sliceOf[row]!]!.partition));
      return makeData({ type: new Int32(), length: data.length, nullCount: 0, data });
    },
    offset: (range) => {
      const data = gatherInt64(range, (row) => columns.offset[row]!);
      return makeData({ type: new Int64(), length: data.length, nullCount: 0, data });
    },
  };
  const present = COLUMNS.filter(({ type }) => type !== 'scores' || columns.labels.length > 0);
  return {
    encode(range) {
      const children = present.map(({ name }) => builders[name](range));
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

function each({ order, from, to }: RowRange, visit: (row: number, i: number) => void): void {
  for (let i = from; i < to; i++) visit(order === undefined ? i : order[i]!, i - from);
}

function textData({ offsets, data, nullCount, validity: nullBitmap }: ArrowText): Data<Utf8> {
  return makeData({
    type: UTF8,
    length: offsets.length - 1,
    nullCount,
    nullBitmap,
    valueOffsets: offsets,
    data,
  });
}

function timestamps(data: BigInt64Array): Data<TimestampMicrosecond> {
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

function constant({ values, ofSlice }: Category, sliceOf: Int32Array): (range: RowRange) => Data<Dictionary> {
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

function listData({ counts, starts, parts, nulls }: ListColumn, range: RowRange): Data<List<Utf8>> {
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

function mapData({ counts, starts, parts, nulls }: ListColumn, range: RowRange): Data<Map_<Utf8, Utf8>> {
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

function scoresData({ scores }: Columns, type: Struct, range: RowRange): Data<Struct> {
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

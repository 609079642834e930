import { constants, zstdCompressSync } from 'node:zlib';
import type { ColumnChunk, FileMetaData, RowGroup } from 'hyparquet';
import { ByteWriter } from 'hyparquet-writer';
import { writeIndexes } from 'hyparquet-writer/src/indexes.js';
import { writeMetadata } from 'hyparquet-writer/src/metadata.js';
import { compressSync } from 'snappy';
import { concatenate } from '../concatenate.ts';
import type { Columns } from '../merge.ts';
import { sortedOrder } from '../order.ts';
import { TABLES } from '../tables.ts';
import { ARROW_SCHEMA, arrowSchema } from './arrow-schema.ts';
import type { Bounds } from './chunk.ts';
import { leavesOf } from './leaves.ts';
import { elementsOf } from './schema.ts';
import { writeChunk, type Compression, type WrittenChunk } from './write-chunk.ts';

/** How {@link writeParquet} writes. */
export interface ParquetOptions {
  readonly rowGroupRows: number;
  readonly compression: 'zstd' | 'snappy' | 'none';
  /** Key-value metadata of the file. */
  readonly metadata: Readonly<Record<string, string>>;
}

const MAGIC = Uint8Array.from(Buffer.from('PAR1'));
/** About the bytes of a page of the largest column, and most rows of a page. */
const PAGE_BYTES = 1024 ** 2;
const PAGE_ROWS = 20_000;

const CODECS: Readonly<Record<ParquetOptions['compression'], Compression>> = {
  zstd: {
    codec: 'ZSTD',
    compress: (bytes) => zstdCompressSync(bytes, { params: { [constants.ZSTD_c_compressionLevel]: 1 } }),
  },
  snappy: { codec: 'SNAPPY', compress: (bytes) => compressSync(Buffer.from(bytes.buffer, 0, bytes.length)) },
  none: { codec: 'UNCOMPRESSED', compress: (bytes) => bytes },
};

/**
 * Columns as one Parquet file: rows by customer and event time (stable), row groups of `rowGroupRows`, encoded straight from
 * the bytes of the slices, one column chunk after the other. Framing and metadata are hyparquet-writer's; the values are
 * encoded here, since rows never become objects (docs/decisions/018).
 */
export function writeParquet(columns: Columns, options: ParquetOptions): Uint8Array<ArrayBuffer> {
  const order = rowOrder(columns);
  // `scores` is left out where there are no labels: Parquet knows no struct without fields.
  const present = TABLES[columns.table].columns.filter(
    ({ type }) => type !== 'scores' || columns.labels.length > 0,
  );
  const leaves = present.flatMap((column) => leavesOf(column, columns));
  const pageRows = rowsOfPage(columns);
  const parts: Uint8Array[] = [MAGIC];
  let position = MAGIC.length;
  const written: WrittenChunk[] = [];
  const rowGroups: RowGroup[] = [];
  for (let from = 0; from < columns.rows; from += options.rowGroupRows) {
    const rows = order.subarray(from, Math.min(columns.rows, from + options.rowGroupRows));
    const chunks: ColumnChunk[] = [];
    const start = position;
    let size = 0n;
    for (const leaf of leaves) {
      const each = writeChunk(leaf, rows, {
        offset: position,
        pageRows,
        compression: CODECS[options.compression],
      });
      parts.push(...each.parts);
      position += each.bytes;
      written.push(each);
      chunks.push(each.chunk);
      size += each.chunk.meta_data!.total_uncompressed_size;
    }
    rowGroups.push({
      columns: chunks,
      total_byte_size: size,
      num_rows: BigInt(rows.length),
      file_offset: BigInt(start),
      total_compressed_size: BigInt(position - start),
    });
  }
  const root = { name: 'schema', num_children: present.length };
  parts.push(
    footer(position, written, {
      version: 1,
      schema: [root, ...present.flatMap((column) => elementsOf(column, columns.labels))],
      num_rows: BigInt(columns.rows),
      row_groups: rowGroups,
      key_value_metadata: [
        { key: ARROW_SCHEMA, value: arrowSchema(columns.table, present, columns.labels) },
        ...Object.entries(options.metadata).map(([key, value]) => ({ key, value })),
      ],
      created_by: 'sluice',
      metadata_length: 0,
    }),
  );
  return concatenate(parts);
}

/** Page indexes, metadata, its length and the magic. */
function footer(position: number, written: readonly WrittenChunk[], metadata: FileMetaData): Uint8Array {
  const writer = new ByteWriter(4096);
  // Offsets in the indexes count from the beginning of the file.
  writer.offset = position;
  writeIndexes(
    writer,
    written.map(({ chunk, offsetIndex, pageBounds }) => ({
      chunk,
      offsetIndex,
      ...(pageBounds ? { columnIndex: columnIndexOf(pageBounds) } : {}),
    })),
  );
  writeMetadata(writer, metadata);
  writer.appendBytes(MAGIC);
  return writer.getBytes();
}

function columnIndexOf(pageBounds: readonly Bounds[]) {
  return {
    null_pages: pageBounds.map(() => false),
    min_values: pageBounds.map(({ min }) => int64(min)),
    max_values: pageBounds.map(({ max }) => int64(max)),
    boundary_order: 'UNORDERED' as const,
    null_counts: pageBounds.map(() => 0n),
  };
}

function int64(bound: unknown): Uint8Array {
  return new Uint8Array(BigInt64Array.of(bound as bigint).buffer);
}

function rowsOfPage({ rows, texts, lists }: Columns): number {
  let most = 0;
  for (const { data } of [...texts.values(), ...[...lists.values()].flatMap(({ parts }) => parts)])
    most = Math.max(most, data.length);
  const average = most / Math.max(1, rows);
  return Math.max(1, Math.min(PAGE_ROWS, Math.floor(PAGE_BYTES / Math.max(1, average))));
}

/** Customers in order of their names, rows of each by event time. */
function rowOrder({ rows, createdAt, constants: slices, sliceOf }: Columns): Int32Array {
  const names = [...new Set(slices.map(({ customer }) => customer))].sort();
  const places = new Map(names.map((name, place) => [name, place]));
  const placeOf = Int32Array.from(slices, ({ customer }) => places.get(customer)!);
  const before =
    names.length === 1
      ? (a: number, b: number) => createdAt[a]! < createdAt[b]!
      : (a: number, b: number) => {
          const difference = placeOf[sliceOf[a]!]! - placeOf[sliceOf[b]!]!;
          return difference === 0 ? createdAt[a]! < createdAt[b]! : difference < 0;
        };
  return sortedOrder(rows, before) ?? inPlace(rows);
}

function inPlace(rows: number): Int32Array {
  const order = new Int32Array(rows);
  for (let row = 0; row < rows; row++) order[row] = row;
  return order;
}

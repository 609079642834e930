import {
  Compression,
  Encoding,
  EnabledStatistics,
  Table,
  transformParquetStream,
  WriterPropertiesBuilder,
  WriterVersion,
  type RecordBatch,
  type WriterProperties,
} from 'parquet-wasm';
import { createArrowEncoder } from './arrow.ts';
import { concatenate } from './concatenate.ts';
import type { Columns } from './merge.ts';
import { sortedOrder } from './order.ts';
import { TABLES } from './tables.ts';

/** How {@link writeParquet} writes. */
export interface ParquetOptions {
  readonly rowGroupRows: number;
  readonly compression: 'zstd' | 'snappy' | 'none';
  /** Key-value metadata of the file. */
  readonly metadata: Readonly<Record<string, string>>;
}

const CODECS = { zstd: Compression.ZSTD, snappy: Compression.SNAPPY, none: Compression.UNCOMPRESSED };

/**
 * Columns as one Parquet file: rows by customer and event time (stable), row groups of `rowGroupRows`, each made and
 * compressed before the next, so that memory is bounded by the columns and one row group. Blocks its thread meanwhile.
 */
export async function writeParquet(
  columns: Columns,
  options: ParquetOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const order = rowOrder(columns);
  const encoder = createArrowEncoder(columns);
  let from = 0;
  const batches = new ReadableStream<RecordBatch>(
    {
      pull(controller) {
        const to = Math.min(columns.rows, from + options.rowGroupRows);
        const table = Table.fromIPCStream(encoder.encode({ order, from, to }));
        const batch = table.recordBatch(0)!;
        table.free();
        controller.enqueue(batch);
        from = to;
        if (from >= columns.rows) controller.close();
      },
    },
    { highWaterMark: 0 },
  );
  const parts: Uint8Array[] = [];
  const output: ReadableStream<Uint8Array> = await transformParquetStream(
    batches,
    properties(columns, options),
  );
  for await (const part of output) parts.push(part);
  return concatenate(parts);
}

/** Customers in order of their names, rows of each by event time; undefined when they stand so. */
function rowOrder({ rows, createdAt, constants, sliceOf }: Columns): Int32Array | undefined {
  const names = [...new Set(constants.map(({ customer }) => customer))].sort();
  if (names.length === 1) return sortedOrder(rows, (a, b) => createdAt[a]! < createdAt[b]!);
  const places = new Map(names.map((name, place) => [name, place]));
  const placeOf = Int32Array.from(constants, ({ customer }) => places.get(customer)!);
  return sortedOrder(rows, (a, b) => {
    const difference = placeOf[sliceOf[a]!]! - placeOf[sliceOf[b]!]!;
    return difference === 0 ? createdAt[a]! < createdAt[b]! : difference < 0;
  });
}

function properties(
  { table }: Columns,
  { rowGroupRows, compression, metadata }: ParquetOptions,
): WriterProperties {
  let builder = new WriterPropertiesBuilder()
    .setWriterVersion(WriterVersion.V1)
    .setCreatedBy('sluice')
    .setCompression(CODECS[compression])
    .setMaxRowGroupSize(rowGroupRows)
    .setKeyValueMetadata(new Map(Object.entries(metadata)))
    .setDictionaryEnabled(true)
    .setStatisticsEnabled(EnabledStatistics.Chunk);
  for (const { name, type, from, dictionary, statistics } of TABLES[table].columns) {
    const grows = from === 'row' && (type === 'timestamp' || type === 'int64');
    if (dictionary === false || grows) builder = builder.setColumnDictionaryEnabled(name, false);
    if (statistics === false) builder = builder.setColumnStatisticsEnabled(name, EnabledStatistics.None);
    if (!grows) continue;
    builder = builder.setColumnEncoding(name, Encoding.DELTA_BINARY_PACKED);
    builder = builder.setColumnStatisticsEnabled(name, EnabledStatistics.Page);
  }
  return builder.build();
}

import { crc32 } from 'node:zlib';
import { CorruptError } from '../errors.ts';
import type { TableName } from '../types.ts';
import { free } from '../memory.ts';
import { mergeSlices, type Columns } from './merge.ts';
import { writeParquet, type ParquetOptions } from './parquet/write-parquet.ts';

/** What a worker needs to make one shard file. All values can be copied to a thread. */
export interface EncodeTask {
  /** The one table that all slices must be of. */
  readonly table: TableName;
  /** Slices laid end to end, as slice-writer.ts writes them; each chunk starts at its ArrayBuffer's begin. */
  readonly chunks: readonly Uint8Array<ArrayBuffer>[];
  /** The one customer that all slices must be of; undefined when the path does not name the customer. */
  readonly customer: string | undefined;
  readonly rowGroupRows: number;
  readonly compression: ParquetOptions['compression'];
  /** Transaction id and version of Sluice, for the file's metadata. */
  readonly transaction: string;
  readonly version: string;
}

/** One shard file, ready for a store. */
export interface EncodedFile {
  readonly content: Uint8Array<ArrayBuffer>;
  readonly rows: number;
  /** Event time range, µs UTC. */
  readonly minCreatedAt: number;
  readonly maxCreatedAt: number;
  /** CRC-32 of the content, 8 hex digits. */
  readonly crc32: string;
}

/**
 * Worker task: slices of one shard → one Parquet file. Throws CorruptError when a slice is not one, or is of another table
 * or customer: nothing of it may become visible then.
 */
export async function encodeFile(task: EncodeTask): Promise<EncodedFile> {
  const columns = mergeSlices(task.chunks, task.table);
  const stranger = columns.constants.find(({ customer }) => customer !== (task.customer ?? customer));
  if (stranger) {
    throw new CorruptError(
      `expected rows of customer ${JSON.stringify(task.customer)} only in a file of ${task.transaction}, got some of ${JSON.stringify(stranger.customer)}`,
    );
  }
  let minCreatedAt = Infinity;
  let maxCreatedAt = -Infinity;
  for (const time of columns.createdAt) {
    if (time < minCreatedAt) minCreatedAt = time;
    if (time > maxCreatedAt) maxCreatedAt = time;
  }
  const content = writeParquet(columns, {
    rowGroupRows: task.rowGroupRows,
    compression: task.compression,
    metadata: {
      'sluice.version': task.version,
      'sluice.transaction': task.transaction,
      'sluice.table': task.table,
    },
  });
  release(columns);
  return { content, rows: columns.rows, minCreatedAt, maxCreatedAt, crc32: checksum(content) };
}

/** Gives back the memory of the large columns now. */
function release({ texts, lists }: Columns): void {
  for (const { data } of texts.values()) free(data);
  for (const { parts } of lists.values()) for (const { data } of parts) free(data);
}

/** CRC-32 as 8 hex digits. */
export function checksum(content: Uint8Array): string {
  return crc32(content).toString(16).padStart(8, '0');
}

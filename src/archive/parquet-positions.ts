import { zstdDecompressSync } from 'node:zlib';
import { parquetMetadata, parquetRead } from 'hyparquet';

/** The columns of a row group that tell where its rows come from, and where they belong; entry i of each is row i. */
export interface RowPositions {
  readonly rows: number;
  readonly topic: readonly string[];
  readonly partition: Int32Array;
  readonly offset: Float64Array;
  readonly customer: readonly string[];
  /** µs UTC */
  readonly createdAt: Float64Array;
}

/**
 * Reads where the rows of a shard file come from, row group by row group, by another implementation of Parquet than the one
 * that wrote it. Other columns are not unpacked. Throws an Error of that reader's when the bytes are no such file.
 */
export async function* readRowPositions(content: Uint8Array<ArrayBuffer>): AsyncGenerator<RowPositions> {
  const buffer = arrayBufferOf(content);
  const metadata = parquetMetadata(buffer);
  let rowStart = 0;
  for (const { num_rows } of metadata.row_groups) {
    const rows = Number(num_rows);
    const first = rowStart;
    const columns = {
      topic: [] as string[],
      partition: new Int32Array(rows),
      offset: new Float64Array(rows),
      customer: [] as string[],
      created_at: new Float64Array(rows),
    };
    const filled = new Map<string, number>();
    await parquetRead({
      file: buffer,
      metadata,
      columns: Object.keys(columns),
      rowStart,
      rowEnd: rowStart + rows,
      parsers: { timestampFromMicroseconds: (micros: bigint) => micros },
      compressors: {
        ZSTD: (input: Uint8Array, length: number) =>
          new Uint8Array(zstdDecompressSync(input, { maxOutputLength: Math.max(1, length) })),
      },
      onChunk({ columnName, columnData, rowStart: at }) {
        const column = columns[columnName as keyof typeof columns];
        const isText = columnName === 'topic' || columnName === 'customer';
        for (let row = 0; row < columnData.length; row++) {
          const value: unknown = columnData[row];
          column[at - first + row] = isText ? String(value) : Number(value);
        }
        filled.set(columnName, (filled.get(columnName) ?? 0) + columnData.length);
      },
    });
    for (const name of Object.keys(columns)) {
      const count = filled.get(name) ?? 0;
      if (count !== rows) throw new Error(`expected ${rows} values of ${name} in a row group, got ${count}`);
    }
    rowStart += rows;
    const { created_at: createdAt, ...others } = columns;
    yield { rows, ...others, createdAt };
  }
}

/**
 * The transaction and the table that a shard file's metadata name; undefined where they name none. Throws like
 * {@link readRowPositions}.
 */
export function parquetOrigin(content: Uint8Array<ArrayBuffer>): {
  readonly transaction: string | undefined;
  readonly table: string | undefined;
} {
  const pairs = parquetMetadata(arrayBufferOf(content)).key_value_metadata;
  const valueOf = (name: string) => pairs?.find(({ key }) => key === name)?.value;
  return { transaction: valueOf('sluice.transaction'), table: valueOf('sluice.table') };
}

function arrayBufferOf(content: Uint8Array<ArrayBuffer>): ArrayBuffer {
  const { buffer, byteOffset, byteLength } = content;
  return byteLength === buffer.byteLength ? buffer : buffer.slice(byteOffset, byteOffset + byteLength);
}

import { open } from 'node:fs/promises';
import type { DuckDBConnection, DuckDBDataChunk, DuckDBInstance } from '@duckdb/node-api';
import { chunksOf } from '../duckdb-chunks.ts';
import { InputError } from '../errors.ts';
import type { LineBatch } from './line-batches.ts';
import { isArchived, literal, parquetQuery, quoteGlob } from './parquet-query.ts';
import type { ArchiveSlice, ParquetColumn } from './parquet-query.ts';

/** What a Parquet file begins with. */
const MAGIC = Buffer.from('PAR1');
/** DuckDB's own memory; a file is read some thousand rows at a time, however large its row groups are. */
const MEMORY = '1GB';
const NEWLINE = 10;

/** The part of a RawBatch that rows of a Parquet file make up. */
export interface ParquetBatch extends LineBatch {
  readonly offsets: Float64Array<ArrayBuffer>;
  readonly timestamps: Float64Array<ArrayBuffer>;
  /** The row after the last one that it settles; rows before it that the slice leaves out included. */
  readonly next: number;
  /** Rows of the whole file. */
  readonly total: number;
}

/** What {@link ParquetReader.read} takes. */
export interface ParquetReadOptions {
  /** The first row, counted from 0. */
  readonly from: number;
  /** The file is one of an archive, and this is wanted of it; else any Parquet file. */
  readonly slice?: ArchiveSlice | undefined;
  readonly batchMessages: number;
  readonly batchBytes: number;
}

/** Reads Parquet files as JSON messages; see `parquetQuery` for what a row becomes. */
export interface ParquetReader {
  /** Number of rows, and columns. Throws what DuckDB throws. */
  describe(path: string): Promise<{ readonly rows: number; readonly columns: readonly ParquetColumn[] }>;
  /**
   * The rows of a file in their order, from `from` to its end, batch by batch; none for rows that the slice leaves out. Throws
   * InputError when the file has less than `from` rows, and when a slice is wanted of a file that is not an archive's; else
   * what DuckDB throws.
   */
  read(path: string, options: ParquetReadOptions): AsyncGenerator<ParquetBatch>;
  /** Frees DuckDB. */
  close(): void;
}

/** Whether a file is Parquet by its first bytes. Throws what the file system throws. */
export async function isParquet(path: string): Promise<boolean> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(MAGIC.length), 0, MAGIC.length, 0);
    return bytesRead === MAGIC.length && buffer.equals(MAGIC);
  } finally {
    await file.close();
  }
}

/** Makes the reader. DuckDB decodes and writes JSON on a thread of its own; only bytes are copied here. */
export function createParquetReader(): ParquetReader {
  let instance: Promise<DuckDBInstance> | undefined;

  async function using<Result>(work: (connection: DuckDBConnection) => Promise<Result>): Promise<Result> {
    const connection = await connect();
    try {
      return await work(connection);
    } finally {
      connection.closeSync();
    }
  }

  async function connect(): Promise<DuckDBConnection> {
    instance ??= openInstance();
    const connection = await (await instance).connect();
    await connection.run(`SET TimeZone = 'UTC'`);
    return connection;
  }

  function describe(path: string) {
    const file = literal(quoteGlob(path));
    return using(async (connection) => {
      const counted = await connection.runAndReadAll(`SELECT num_rows FROM parquet_file_metadata(${file})`);
      const described = await connection.runAndReadAll(
        `SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM read_parquet(${file}, hive_partitioning = false))`,
      );
      return {
        rows: Number(counted.getRows()[0]?.[0] ?? 0),
        columns: described.getRows().map(([name, type]) => ({ name: String(name), type: String(type) })),
      };
    });
  }

  return {
    describe,
    async *read(path, { from, slice, batchMessages, batchBytes }) {
      const { rows, columns } = await describe(path);
      if (rows < from)
        throw new InputError(
          `${path}: expected at least the ${from} rows that are committed, got ${rows}: the file was cut or replaced; ` +
            'give new content a new file name',
        );
      if (slice && !isArchived(columns))
        throw new InputError(
          `${path}: expected a file of an archive, with its columns id, customer, content and others, got ` +
            columns.map(({ name }) => name).join(', '),
        );
      if (rows === from) return;
      const connection = await connect();
      const batches = createBatches({ batchMessages, batchBytes, total: rows });
      try {
        for await (const chunk of chunksOf(connection, parquetQuery({ path, columns, from, slice })))
          yield* batches.push(chunk);
        yield* batches.end();
      } finally {
        connection.closeSync();
      }
    },
    close() {
      void instance?.then((opened) => opened.closeSync());
      instance = undefined;
    },
  };
}

async function openInstance(): Promise<DuckDBInstance> {
  // Loaded here: workers and pipelines without Parquet import this stage as well, and never need it.
  const { DuckDBInstance: Instance } = await import('@duckdb/node-api');
  return await Instance.create(':memory:', {
    // The workers have the cores; rows come in order from one thread.
    threads: '1',
    memory_limit: MEMORY,
    // Everything that is used is built in; nothing is downloaded.
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  });
}

/**
 * Gathers rows until a batch is full. Each settles the rows up to the first of the next one, the last one up to the end of
 * the file, with those in between that are not wanted.
 */
function createBatches({
  batchMessages,
  batchBytes,
  total,
}: Pick<ParquetReadOptions, 'batchMessages' | 'batchBytes'> & { readonly total: number }) {
  let values: Uint8Array[] = [];
  let offsets: number[] = [];
  let timestamps: number[] = [];
  let size = 0;

  function take(next: number): ParquetBatch {
    const rows = values.length;
    const bytes = new Uint8Array(size);
    const starts = new Uint32Array(rows);
    const ends = new Uint32Array(rows);
    let at = 0;
    for (const [row, value] of values.entries()) {
      starts[row] = at;
      bytes.set(value, at);
      at += value.length;
      ends[row] = at;
      bytes[at++] = NEWLINE;
    }
    const batch = {
      rows,
      bytes,
      starts,
      ends,
      offsets: Float64Array.from(offsets),
      timestamps: Float64Array.from(timestamps),
      next,
      total,
    };
    values = [];
    offsets = [];
    timestamps = [];
    size = 0;
    return batch;
  }

  return {
    *push(chunk: DuckDBDataChunk): Generator<ParquetBatch> {
      const [numbers, times, messages] = [0, 1, 2].map((column) => chunk.getColumnVector(column));
      for (let row = 0; row < chunk.rowCount; row++) {
        const offset = Number(numbers!.getItem(row));
        const time = times!.getItem(row);
        const { bytes } = messages!.getItem(row) as { readonly bytes: Uint8Array };
        if (values.length >= batchMessages || (values.length > 0 && size + bytes.length >= batchBytes)) {
          yield take(offset);
        }
        values.push(bytes);
        size += bytes.length + 1;
        offsets.push(offset);
        timestamps.push(typeof time === 'number' ? time : NaN);
      }
    },
    *end(): Generator<ParquetBatch> {
      if (values.length > 0) yield take(total);
    },
  };
}

import { DuckDBInstance } from '@duckdb/node-api';

/** What became of the messages of a topic. */
export interface RowCount {
  readonly rows: number;
  /** Messages that no row is of. */
  readonly lost: number;
  /** Rows beyond the first of their message. */
  readonly twice: number;
}

/** How a peer's files name a message: SQL expressions over its columns. Default: `partition` and "offset". */
export interface RowIdentity {
  readonly partition?: string;
  readonly offset?: string;
}

/**
 * Counts the rows of Parquet files against a topic of `messages` messages, by DuckDB. Rows are told apart by partition and
 * offset. Nothing but rows of the topic may be there: more different ones than messages is a bug, and thrown.
 */
export async function countRows(
  files: readonly string[],
  messages: number,
  { partition = 'partition', offset = '"offset"' }: RowIdentity = {},
): Promise<RowCount> {
  if (files.length === 0) return { rows: 0, lost: messages, twice: 0 };
  const instance = await DuckDBInstance.create(':memory:', { threads: '2' });
  const connection = await instance.connect();
  try {
    const list = files.map((file) => `'${file.replaceAll("'", "''")}'`).join(', ');
    const reader = await connection.runAndReadAll(
      `select count(*)::double as all_rows, count(distinct (${partition}, ${offset}))::double as different
       from read_parquet([${list}], union_by_name = true, hive_partitioning = false)`,
    );
    const [rows, different] = reader.getRows()[0] as [number, number];
    if (different > messages)
      throw new Error(`expected rows of ${messages} messages, got ${different} different ones`);
    return { rows, lost: messages - different, twice: rows - different };
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

import { DuckDBInstance } from '@duckdb/node-api';

/** Writes the rows of a query (DuckDB's SQL) as a Parquet file, in row groups of `groupRows`. */
export async function writeParquet(file: string, sql: string, groupRows = 2048): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  try {
    const connection = await instance.connect();
    await connection.run(`SET TimeZone = 'UTC'`);
    await connection.run(`COPY (${sql}) TO '${file}' (FORMAT parquet, ROW_GROUP_SIZE ${groupRows})`);
    connection.closeSync();
  } finally {
    instance.closeSync();
  }
}

/** SQL of rows with the columns of an archive: `n` from 0, customers `a` and `b` in turn, one row an hour from 2026-01-01 on. */
export function archiveRows(count: number, more = ''): string {
  return `SELECT 'content-3-' || n AS id, CASE WHEN n % 2 = 0 THEN 'a' ELSE 'b' END AS customer, 'c' || n AS content_id,
    CASE WHEN n % 3 = 0 THEN 'u' || n END AS user_id, 'text ' || n AS content, 'post' AS content_type, 'en' AS language,
    TIMESTAMPTZ '2026-01-01 00:00:00.000001+00' + to_hours(n::INT) AS created_at,
    TIMESTAMPTZ '2026-02-01 00:00:00+00' AS received_at, TIMESTAMPTZ '2026-02-01 00:00:01+00' AS decided_at,
    'review' AS action, ['toxic', 'spam'] AS reasons, {'toxic': 0.9::FLOAT, 'spam': 0.7::FLOAT} AS scores,
    'm@1' AS model, 'p@1' AS policy, MAP {'k': 'v' || n} AS metadata, 'content' AS topic, 3::INT AS "partition",
    n AS "offset" ${more} FROM range(${count}) t(n)`;
}

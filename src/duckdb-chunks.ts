import type { DuckDBConnection, DuckDBDataChunk } from '@duckdb/node-api';

/** What its client says of a result that failed (`ResultReturnType.INVALID`), which is loaded only where it is needed. */
const FAILED = 0;

/**
 * The answer of a query, some thousand rows at a time, not held in memory. Throws what DuckDB throws, also where a file turns out
 * wrong half-way: the client's own iterators end there as if it were complete.
 */
export async function* chunksOf(connection: DuckDBConnection, sql: string): AsyncGenerator<DuckDBDataChunk> {
  const result = await connection.stream(sql);
  for (;;) {
    const chunk = await result.fetchChunk();
    if (!chunk || chunk.rowCount === 0) break;
    yield chunk;
  }
  if ((result.returnType as number) !== FAILED) return;
  // The reason is lost: only a query that is not streamed tells it. This one reads every column and keeps none.
  await connection.run(`SELECT max(hash(answer)) FROM (${sql}\n) AS answer`);
  throw new Error('expected the whole answer of a query, got only its beginning');
}

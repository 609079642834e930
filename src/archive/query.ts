import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type * as DuckDB from '@duckdb/node-api';
import type { DuckDBConnection, DuckDBValue } from '@duckdb/node-api';
import { InputError, messageOf } from '../errors.ts';
import type { ColumnType, Table } from './columns.ts';
import { DEAD_LETTERS } from './dead-letters.ts';
import { TABLES } from './tables.ts';

/** Answer of a query. Timestamps are ISO 8601 UTC text, 64-bit integers are BigInt, lists and structs are plain. */
export interface QueryResult {
  readonly columns: string[];
  readonly rows: unknown[][];
}

/**
 * Runs SQL (DuckDB's) over an archive in a directory. Views: `content` and `feedback`, the published rows with `dt` and
 * `filename`, and `dead_letters`. What lies in the folder of a view below a name that begins with `_` or a dot, such as a
 * replay in `_replays/`, is not in it, as with Athena and pyarrow. Where there are no files a view is empty. Throws InputError
 * when the SQL or a file is not right.
 */
export async function query(sql: string, options: { readonly root: string }): Promise<QueryResult> {
  if (/^\w+:\/\//.test(options.root)) {
    throw new InputError(
      `${options.root}: expected the directory of an archive, got a URL; query what is in S3 by Athena (docs/athena.md), or by DuckDB itself`,
    );
  }
  const root = resolve(options.root);
  const found = await stat(root).catch(() => undefined);
  if (!found?.isDirectory()) {
    throw new InputError(
      `${root}: expected the directory of an archive, got ${found ? 'a file' : 'nothing'}`,
    );
  }
  // Loaded here: workers and the pipeline import this stage as well, and never need it.
  const duckdb = await import('@duckdb/node-api');
  const instance = await duckdb.DuckDBInstance.create(':memory:');
  try {
    const connection = await instance.connect();
    try {
      await connection.run(`SET TimeZone = 'UTC'`);
      for (const table of Object.values(TABLES))
        await connection.run(`CREATE VIEW ${table.name} AS ${await tableView(connection, root, table)}`);
      await connection.run(`CREATE VIEW dead_letters AS ${await deadLetterView(connection, root)}`);
      const result = await connection.runAndReadAll(sql);
      return {
        columns: result.deduplicatedColumnNames(),
        rows: result.getRows().map((row) => row.map((value) => plain(value, duckdb))),
      };
    } finally {
      connection.closeSync();
    }
  } catch (error) {
    throw new InputError(`query: ${messageOf(error)}`, { cause: error });
  } finally {
    instance.closeSync();
  }
}

async function tableView(connection: DuckDBConnection, root: string, table: Table): Promise<string> {
  const folder = join(root, table.folder).replace(/[/\\]$/, '');
  // A variable, because a list of files can be given to read_parquet as a constant only.
  const variable = `sluice_${table.name}_files`;
  await connection.run(
    `SET VARIABLE ${variable} = (SELECT list(file) FROM glob(${literal(`${globQuote(folder)}/**/*.parquet`)})
      WHERE NOT regexp_matches(substr(file, length(${literal(folder)}) + 1), '[/\\\\][_.]'))`,
  );
  const [count] = await column(connection, `SELECT len(getvariable('${variable}'))`);
  const types = table.columns.map(({ name, type }) => `NULL::${duckType(type)} AS "${name}"`).join(', ');
  const empty = `SELECT ${types}, NULL::DATE AS dt, NULL::VARCHAR AS filename WHERE false`;
  if (count === null) return empty;
  // Not by hive partitioning: the path of a long id is not the id, and `partition_by` may have changed between files.
  const files = `SELECT *, (created_at AT TIME ZONE 'UTC')::DATE AS dt
    FROM read_parquet(getvariable('${variable}'), union_by_name = true, filename = true, hive_partitioning = false)`;
  // The first part gives the columns their order, and `scores` to archives in which nothing was scored.
  return `${empty.replace('NULL::JSON', 'NULL')} UNION ALL BY NAME ${files}`;
}

async function deadLetterView(connection: DuckDBConnection, root: string): Promise<string> {
  const glob = literal(`${globQuote(root)}/${DEAD_LETTERS}/**/*.jsonl`);
  const files = await column(connection, `SELECT file FROM glob(${glob}) LIMIT 1`);
  const names = Object.entries(DEAD_LETTER_TYPES);
  if (files.length === 0)
    return `SELECT ${names.map(([name, type]) => `NULL::${type} AS "${name}"`).join(', ')} WHERE false`;
  const types = names.map(([name, type]) => `'${name}': '${type}'`).join(', ');
  return `SELECT * FROM read_json(${glob}, format = 'newline_delimited', columns = {${types}}, maximum_object_size = 268435456)`;
}

const DEAD_LETTER_TYPES = {
  topic: 'VARCHAR',
  partition: 'INTEGER',
  offset: 'BIGINT',
  stage: 'VARCHAR',
  code: 'VARCHAR',
  detail: 'VARCHAR',
  timestamp: 'TIMESTAMPTZ',
  received_at: 'TIMESTAMPTZ',
  bytes: 'VARCHAR',
  key: 'VARCHAR',
  headers: 'MAP(VARCHAR, VARCHAR)',
};

function duckType(type: ColumnType): string {
  const types: Record<ColumnType, string> = {
    string: 'VARCHAR',
    category: 'VARCHAR',
    boolean: 'BOOLEAN',
    timestamp: 'TIMESTAMPTZ',
    int32: 'INTEGER',
    int64: 'BIGINT',
    'list<string>': 'VARCHAR[]',
    'map<string,string>': 'MAP(VARCHAR, VARCHAR)',
    'map<string,float>': 'MAP(VARCHAR, FLOAT)',
    scores: 'JSON',
  };
  return types[type];
}

async function column(connection: DuckDBConnection, sql: string): Promise<DuckDBValue[]> {
  return (await connection.runAndReadAll(sql)).getRows().map((row) => row[0]!);
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A directory whose name has `*`, `?` or brackets must not be a pattern. */
function globQuote(path: string): string {
  return path.replaceAll('\\', '/').replace(/[[*?]/g, '[$&]');
}

function plain(value: DuckDBValue, duckdb: typeof DuckDB): unknown {
  if (typeof value === 'number') return shortest(value);
  if (typeof value !== 'object' || value === null) return value;
  const inner = (entry: DuckDBValue) => plain(entry, duckdb);
  if (value instanceof duckdb.DuckDBTimestampTZValue || value instanceof duckdb.DuckDBTimestampValue) {
    return isoTime(value.micros);
  }
  if (value instanceof duckdb.DuckDBDecimalValue) return value.toDouble();
  if (value instanceof duckdb.DuckDBListValue) return value.items.map(inner);
  if (value instanceof duckdb.DuckDBStructValue) {
    return Object.fromEntries(Object.entries(value.entries).map(([name, entry]) => [name, inner(entry)]));
  }
  if (value instanceof duckdb.DuckDBMapValue) {
    return Object.fromEntries(
      value.entries.map(({ key, value: entry }) => [String(inner(key)), inner(entry)]),
    );
  }
  return value.toString();
}

/** A 32-bit float as the shortest decimal that means it: 0.0032, not 0.0031999999191612005. */
function shortest(value: number): number {
  if (!Number.isFinite(value) || Number.isInteger(value) || Math.fround(value) !== value) return value;
  for (let digits = 1; digits < 9; digits++) {
    const rounded = Number(value.toPrecision(digits));
    if (Math.fround(rounded) === value) return rounded;
  }
  return value;
}

/** ISO 8601 with as many decimals as it takes: milliseconds, or microseconds. */
function isoTime(micros: bigint): string {
  const rest = Number(((micros % 1000n) + 1000n) % 1000n);
  const iso = new Date(Number((micros - BigInt(rest)) / 1000n)).toISOString();
  return rest === 0 ? iso : `${iso.slice(0, -1)}${String(rest).padStart(3, '0')}Z`;
}

import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';

/** What a judge can find. */
export const VIOLATIONS = ['lost', 'twice', 'foreign', 'altered', 'mixed', 'gaps'] as const;

/** A kind of violation: how many, and the first few. */
export interface Violation {
  readonly kind: (typeof VIOLATIONS)[number];
  readonly count: number;
  readonly samples: readonly string[];
}

/** The judge's count. It holds when there is no violation. */
export interface Judgement {
  /** Messages that the producer wrote, those of aborted transactions included. */
  readonly written: number;
  readonly rows: number;
  readonly deadLetters: number;
  readonly files: number;
  readonly violations: readonly Violation[];
}

/** What was written and what there is. */
export interface JudgeOptions {
  /** Root directory of the archive, where the store keeps its files. */
  readonly root: string;
  /** File of WrittenMessage lines. */
  readonly record: string;
  /** By partition: its end offset, and how many offsets below it hold a transaction marker. Not given: gaps are not judged. */
  readonly partitions?: readonly {
    readonly partition: number;
    readonly end: number;
    readonly markers: number;
  }[];
}

/**
 * Counts by DuckDB, over the archive's files as they lie in the store, what became of each message. It knows what the
 * producer wrote and the layout that readers know; nothing of manifests or of the code under test.
 *
 * - `lost`: a message that should be a row or a dead letter and is neither.
 * - `twice`: a message, or an offset, in more than one row or dead letter.
 * - `foreign`: a row or dead letter that no message accounts for, those of aborted transactions and tombstones included.
 * - `altered`: a row whose customer, text or position, or a dead letter whose bytes or position, are not the message's.
 * - `mixed`: a file with several customers, or another one than its path names, or with a day that is not its path's.
 * - `gaps`: offsets up to the end that are in no row and no dead letter, more or fewer than tombstones, aborted messages
 *   and transaction markers account for.
 */
export async function judge(options: JudgeOptions): Promise<Judgement> {
  const instance = await DuckDBInstance.create(':memory:');
  try {
    const connection = await instance.connect();
    try {
      await load(connection, options);
      const violations = await Promise.all(
        Object.entries(QUERIES).map(async ([kind, sql]) =>
          violation(kind as Violation['kind'], await column(connection, sql)),
        ),
      );
      return {
        written: await count(connection, 'written'),
        rows: await count(connection, 'content'),
        deadLetters: await count(connection, 'letters'),
        files: Number((await column(connection, `SELECT count(DISTINCT filename)::VARCHAR FROM content`))[0]),
        violations: violations.filter((found) => found.count > 0),
      };
    } finally {
      connection.closeSync();
    }
  } finally {
    instance.closeSync();
  }
}

async function load(
  connection: DuckDBConnection,
  { root, record, partitions = [] }: JudgeOptions,
): Promise<void> {
  await connection.run(`SET TimeZone = 'UTC'`);
  await connection.run(`CREATE TABLE written AS SELECT * FROM read_json(${literal(record)}, format = 'newline_delimited',
    columns = {id: 'VARCHAR', partition: 'INTEGER', "offset": 'BIGINT', fate: 'VARCHAR', customer: 'VARCHAR', text: 'VARCHAR', bytes: 'VARCHAR'})`);
  const parquet = `${root}/customer=*/dt=*/*.parquet`;
  await connection.run(
    `CREATE TABLE content AS ${
      (await some(connection, parquet))
        ? `SELECT content_id AS id, customer, content AS text, partition, "offset", created_at, filename
             FROM read_parquet(${literal(parquet)}, filename = true, hive_partitioning = false)`
        : `SELECT ''::VARCHAR AS id, ''::VARCHAR AS customer, ''::VARCHAR AS text, 0 AS partition, 0::BIGINT AS "offset",
             now() AS created_at, ''::VARCHAR AS filename WHERE false`
    }`,
  );
  const jsonl = `${root}/_dead_letters/dt=*/*.jsonl`;
  await connection.run(
    `CREATE TABLE letters AS ${
      (await some(connection, jsonl))
        ? `SELECT partition, "offset", bytes, filename FROM read_json(${literal(jsonl)}, format = 'newline_delimited',
             filename = true, columns = {partition: 'INTEGER', "offset": 'BIGINT', bytes: 'VARCHAR'})`
        : `SELECT 0 AS partition, 0::BIGINT AS "offset", '' AS bytes, '' AS filename WHERE false`
    }`,
  );
  await connection.run(`CREATE TABLE ends (partition INTEGER, "end" BIGINT, markers BIGINT)`);
  for (const { partition, end, markers } of partitions) {
    await connection.run(`INSERT INTO ends VALUES (${partition}, ${end}, ${markers})`);
  }
  await connection.run(`CREATE VIEW settled AS
    SELECT partition, "offset", filename FROM content UNION ALL SELECT partition, "offset", filename FROM letters`);
}

const QUERIES: Readonly<Record<Violation['kind'], string>> = {
  lost: `
    SELECT w.id || ' at ' || w.partition || ':' || w."offset" FROM written w
      WHERE w.fate = 'row' AND NOT EXISTS (FROM content c WHERE c.id = w.id)
    UNION ALL SELECT w.id || ' at ' || w.partition || ':' || w."offset" || ' (dead letter)' FROM written w
      WHERE w.fate = 'dead_letter' AND NOT EXISTS (FROM letters l WHERE l.bytes = w.bytes)`,
  twice: `
    SELECT 'message ' || id || ': ' || string_agg(DISTINCT filename, ', ') FROM content GROUP BY id HAVING count(*) > 1
    UNION ALL SELECT 'offset ' || partition || ':' || "offset" || ': ' || string_agg(DISTINCT filename, ', ') FROM settled
      GROUP BY partition, "offset" HAVING count(*) > 1
    UNION ALL SELECT 'dead letter ' || min(partition || ':' || "offset") FROM letters GROUP BY bytes HAVING count(*) > 1`,
  foreign: `
    SELECT 'row ' || c.id || ' in ' || c.filename FROM content c
      WHERE NOT EXISTS (FROM written w WHERE w.id = c.id AND w.fate = 'row')
    UNION ALL SELECT 'dead letter at ' || l.partition || ':' || l."offset" FROM letters l
      WHERE NOT EXISTS (FROM written w WHERE w.bytes = l.bytes AND w.fate = 'dead_letter')`,
  altered: `
    SELECT w.id || ' in ' || c.filename FROM content c JOIN written w ON w.id = c.id
      WHERE (c.customer, c.text, c.partition, c."offset") IS DISTINCT FROM (w.customer, w.text, w.partition, w."offset")
    UNION ALL SELECT w.id || ' (dead letter)' FROM letters l JOIN written w ON w.bytes = l.bytes
      WHERE (l.partition, l."offset") IS DISTINCT FROM (w.partition, w."offset")`,
  mixed: `
    SELECT filename FROM content GROUP BY filename
      HAVING count(DISTINCT customer) > 1
        OR bool_or(NOT contains(filename, '/customer=' || customer || '/dt=' || strftime(created_at, '%Y-%m-%d') || '/'))`,
  gaps: `
    SELECT 'partition ' || e.partition || ': ' || (e."end" - s.found) || ' of ' || e."end" || ' offsets hold nothing, expected '
        || (e.markers + w.silent)
      FROM ends e,
        LATERAL (SELECT count(DISTINCT "offset") AS found FROM settled WHERE partition = e.partition AND "offset" < e."end") s,
        LATERAL (SELECT count(*) AS silent FROM written
          WHERE partition = e.partition AND fate IN ('tombstone', 'aborted')) w
      WHERE e."end" - s.found <> e.markers + w.silent`,
};

function violation(kind: Violation['kind'], found: readonly string[]): Violation {
  return { kind, count: found.length, samples: found.slice(0, 5) };
}

async function column(connection: DuckDBConnection, sql: string): Promise<string[]> {
  const result = await connection.runAndReadAll(sql);
  return result.getRows().map(([value]) => String(value));
}

async function count(connection: DuckDBConnection, table: string): Promise<number> {
  return Number((await column(connection, `SELECT count(*)::VARCHAR FROM ${table}`))[0]);
}

async function some(connection: DuckDBConnection, glob: string): Promise<boolean> {
  return (await column(connection, `SELECT file FROM glob(${literal(glob)}) LIMIT 1`)).length > 0;
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

import type { DuckDBConnection } from '@duckdb/node-api';
import { chunksOf } from '../duckdb-chunks.ts';
import { InputError, messageOf } from '../errors.ts';
import { ACTIONS, type Action } from '../types.ts';

/** Archived decisions, column by column: entry i of each array belongs to row i. */
export interface ArchivedRows {
  readonly contentIds: readonly string[];
  readonly customers: readonly string[];
  readonly languages: readonly (string | null)[];
  readonly actions: readonly Action[];
  readonly reasons: readonly (readonly string[] | null)[];
  /** Ids of the models that scored a row, joined by commas; null where nothing did. */
  readonly models: readonly (string | null)[];
  /** Rows × the labels that were asked for, row-major; NaN where a row has no score. */
  readonly scores: Float32Array;
  /** Only where texts were asked for. */
  readonly texts?: readonly string[];
}

/** Which rows of a file are read, and what of them. */
export interface ArchivedRowsQuery {
  /** Labels of the score columns, and those that the file has scores of. */
  readonly labels: readonly string[];
  readonly present: ReadonlySet<string>;
  readonly customer?: string | undefined;
  /** Event time from, and before, milliseconds UTC. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  /** Part of the rows, 0 to 1: always the same ones, by their ids. */
  readonly sample: number;
  readonly withTexts: boolean;
}

/** Reads files of an archive one by one, on a connection of DuckDB. */
export interface ArchivedFiles {
  /** Labels that a file has scores of, in its order. Throws InputError when it is no file of an archive. */
  labelsOf(path: string): Promise<string[]>;
  /** Rows in the order of the file, some thousand at a time. Throws InputError when it cannot be read. */
  read(path: string, query: ArchivedRowsQuery): AsyncGenerator<ArchivedRows>;
  close(): void;
}

const NEEDED = [
  'id',
  'customer',
  'content_id',
  'language',
  'action',
  'reasons',
  'model',
  'created_at',
  'content',
];
/** Ids fall into so many parts for a sample. */
const PARTS = 10_000;

/** Opens DuckDB; everything is read here, nothing is written. */
export async function openArchivedFiles(): Promise<ArchivedFiles> {
  const duckdb = await import('@duckdb/node-api');
  const instance = await duckdb.DuckDBInstance.create(':memory:', {
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  });
  const connection = await instance.connect();

  const labelsOf = async (path: string): Promise<string[]> => {
    const names = await namesIn(connection, path);
    const missing = NEEDED.find((name) => !names.has(name));
    if (missing !== undefined)
      throw new InputError(`${path}: expected a file of an archive, got one without the column ${missing}`);
    return names.get('scores') ?? [];
  };
  return {
    labelsOf,
    async *read(path, query) {
      try {
        for await (const chunk of chunksOf(connection, sqlOf(path, query)))
          yield rowsOf(chunk.getColumns(), query.labels.length, query.withTexts);
      } catch (error) {
        throw new InputError(`${path}: expected a readable file of an archive, got ${messageOf(error)}`);
      }
    },
    close() {
      connection.closeSync();
      instance.closeSync();
    },
  };
}

/** Columns of a Parquet file with the names of the fields below them. */
async function namesIn(connection: DuckDBConnection, path: string): Promise<Map<string, string[]>> {
  let rows;
  try {
    const sql = `SELECT name, num_children FROM parquet_schema(${literal(quoteGlob(path))})`;
    rows = (await connection.runAndReadAll(sql)).getRows();
  } catch (error) {
    throw new InputError(`${path}: expected a file of an archive, got ${messageOf(error)}`);
  }
  const names = new Map<string, string[]>();
  // The schema is a tree, written depth first below its root; scores is one level deep.
  for (let i = 1; i < rows.length; i++) {
    const [name, children] = rows[i]!;
    const count = name === 'scores' ? Number(children ?? 0) : 0;
    names.set(
      String(name),
      rows.slice(i + 1, i + 1 + count).map(([field]) => String(field)),
    );
    i += count;
  }
  return names;
}

function sqlOf(
  path: string,
  { labels, present, customer, from, to, sample, withTexts }: ArchivedRowsQuery,
): string {
  const conditions = [
    ...(customer === undefined ? [] : [`customer = ${literal(customer)}`]),
    ...(from === undefined ? [] : [`created_at >= to_timestamp(${from / 1000})`]),
    ...(to === undefined ? [] : [`created_at < to_timestamp(${to / 1000})`]),
    ...(sample < 1 ? [`hash(id) % ${PARTS} < ${Math.round(sample * PARTS)}`] : []),
  ];
  const scores = labels.map((label) =>
    present.has(label) ? `scores."${label.replaceAll('"', '""')}"` : 'NULL::FLOAT',
  );
  const columns = ['content_id', 'customer', 'language', 'action', 'reasons', 'model', ...scores];
  return `SELECT ${[...columns, ...(withTexts ? ['content'] : [])].join(', ')}
    FROM read_parquet(${literal(quoteGlob(path))}, hive_partitioning = false)
    ${conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : ''}`;
}

function rowsOf(columns: readonly (readonly unknown[])[], width: number, withTexts: boolean): ArchivedRows {
  const [ids, customers, languages, actions, reasons, models, ...rest] = columns;
  const rows = ids!.length;
  const scores = new Float32Array(rows * width).fill(NaN);
  for (let label = 0; label < width; label++) {
    const column = rest[label]!;
    for (let row = 0; row < rows; row++) {
      const score = column[row];
      if (typeof score === 'number') scores[row * width + label] = score;
    }
  }
  return {
    contentIds: ids as string[],
    customers: customers as string[],
    languages: languages as (string | null)[],
    actions: (actions as string[]).map((action) => ACTIONS.find((known) => known === action) ?? 'allow'),
    reasons: (reasons as ({ items: string[] } | null)[]).map((list) => list && list.items),
    models: models as (string | null)[],
    scores,
    ...(withTexts ? { texts: rest[width] as string[] } : {}),
  };
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A path whose name has `*`, `?` or brackets is no pattern. */
function quoteGlob(path: string): string {
  return path.replace(/[[*?]/g, '[$&]');
}

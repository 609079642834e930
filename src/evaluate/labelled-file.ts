import type { DuckDBConnection } from '@duckdb/node-api';
import { chunksOf } from '../duckdb-chunks.ts';
import { InputError, messageOf, MisconfiguredError } from '../errors.ts';
import type { LabelledSource } from './labelled-source.ts';
import { parseJson } from './truth.ts';

type FileFormat = 'parquet' | 'json' | 'csv';

/**
 * Opens a file of labelled data, or several that fit a glob pattern, by the ending of its name. Throws InputError when it
 * cannot be read, MisconfiguredError for another ending.
 */
export async function openLabelledFile(connection: DuckDBConnection, path: string): Promise<LabelledSource> {
  const format = formatOf(path);
  const described = await columnsOf(connection, path, format);
  const columns = described.map(({ name }) => name);
  const asText = (name: string | undefined) => {
    if (name === undefined) return 'NULL';
    return format === 'json' ? `${quoted(name)} ->> '$'` : `${quoted(name)}::VARCHAR`;
  };
  // As JSON, so that numbers, booleans and lists come the same way from Parquet as from JSON.
  const asValue = (name: string | undefined) => {
    if (name === undefined) return 'NULL';
    return format === 'parquet' ? `to_json(${quoted(name)})::VARCHAR` : `${quoted(name)}::VARCHAR`;
  };
  // JSON has no NaN, which data frames write where nothing is known.
  const parse = (cell: string | null) =>
    format === 'csv' ? cell : cell === null || cell === 'NaN' ? null : parseJson(cell);
  return {
    place: path,
    columns,
    async *read({ texts, values, where }) {
      const wanted = [...texts.map(asText), ...values.map(asValue)];
      const file = readerOf(path, format, columns);
      const sql =
        where === undefined
          ? `SELECT ${wanted.join(', ')} FROM ${file}`
          : filtered(wanted, format === 'json' ? described.map(comparable) : ['*'], { file, where });
      for await (const rows of stream(connection, path, sql))
        yield rows.map((row) => row.map((cell, i) => (i < texts.length ? cell : parse(cell))));
    },
  };
}

async function* stream(
  connection: DuckDBConnection,
  path: string,
  sql: string,
): AsyncGenerator<(string | null)[][]> {
  try {
    for await (const chunk of chunksOf(connection, sql)) yield chunk.getRows() as (string | null)[][];
  } catch (error) {
    const [first = '', ...others] = messageOf(error).split('\n');
    // What is wrong with a line of CSV stands below the line.
    const reason = others.find((line) => /^(Invalid|Expected|Error|Value|Maximum)/.test(line)) ?? '';
    throw new InputError(`${path}: cannot be read: ${`${first} ${reason}`.trim()}`, { cause: error });
  }
}

function formatOf(path: string): FileFormat {
  const ending = /\.(parquet|jsonl|ndjson|json|csv|tsv)(?:\.(?:gz|zst))?$/i.exec(path)?.[1]?.toLowerCase();
  if (ending === 'parquet') return 'parquet';
  if (ending === 'csv' || ending === 'tsv') return 'csv';
  if (ending !== undefined) return 'json';
  throw new MisconfiguredError(
    `--data: expected the directory of an archive, or a .parquet, .jsonl, .csv or .tsv file (the last three also .gz or .zst), got ${path}`,
  );
}

/** Rows that fulfil a condition on the columns `compared`, which may be of other types than those `wanted`. */
function filtered(
  wanted: readonly string[],
  compared: readonly string[],
  { file, where }: { readonly file: string; readonly where: string },
): string {
  const [names, given] = [
    wanted.map((_, i) => `"sluice ${i}"`),
    wanted.map((each, i) => `${each} AS "sluice ${i}"`),
  ];
  return `SELECT ${names.join(', ')} FROM (SELECT ${[...given, ...compared].join(', ')} FROM ${file}) WHERE ${where}`;
}

/** A column of JSON as a condition compares it: `split = 'test'`, `votes > 3`. Lists and objects stay JSON. */
function comparable({ name, type }: Column): string {
  const text = `${quoted(name)} ->> '$'`;
  if (/^(BIGINT|UBIGINT|HUGEINT|DOUBLE|BOOLEAN)$/.test(type)) return `(${text})::${type} AS ${quoted(name)}`;
  return /^(VARCHAR|UUID|DATE|TIME|TIMESTAMP.*)$/.test(type) ? `${text} AS ${quoted(name)}` : quoted(name);
}

/** Types are given where a format has none: a text such as `2024-01-01` must stay one. */
function readerOf(path: string, format: FileFormat, columns?: readonly string[]): string {
  const file = literal(path);
  if (format === 'parquet') return `read_parquet(${file}, union_by_name = true)`;
  if (format === 'csv') {
    const delimiter = /\.tsv(\.|$)/i.test(path) ? `, delim = '\t'` : '';
    // Guessed from the beginning of a file only: quotes may come later. Tables with tabs often do without them.
    const quotes = delimiter === '' ? `, quote = '"'` : '';
    return `read_csv(${file}, all_varchar = true, header = true, union_by_name = true, comment = ''${quotes}${delimiter})`;
  }
  const known = `columns = {${columns?.map((name) => `${quoted(name)}: 'JSON'`).join(', ')}}`;
  return `read_json(${file}, maximum_object_size = 67108864, union_by_name = true, ${columns ? known : 'sample_size = -1'})`;
}

interface Column {
  readonly name: string;
  /** DuckDB's. */
  readonly type: string;
}

async function columnsOf(connection: DuckDBConnection, path: string, format: FileFormat): Promise<Column[]> {
  const columns: Column[] = [];
  for await (const rows of stream(connection, path, `DESCRIBE SELECT * FROM ${readerOf(path, format)}`))
    columns.push(...rows.map(([name, type]) => ({ name: name!, type: type! })));
  return columns;
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

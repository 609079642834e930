/** Which rows of the files of an archive are read: a slice of it. */
export interface ArchiveSlice {
  /** Only this customer's, as its messages named it. */
  readonly customer?: string | undefined;
  /** Event time from, and before, milliseconds UTC. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  /** Whether the archived scores travel with each row, to be compared. */
  readonly scores: boolean;
}

/** A column of a Parquet file: its name, and its type as DuckDB says it. */
export interface ParquetColumn {
  readonly name: string;
  readonly type: string;
}

/** What {@link parquetQuery} takes. */
export interface ParquetQueryInput {
  readonly path: string;
  readonly columns: readonly ParquetColumn[];
  /** The first row, counted from 0 in the file. */
  readonly from: number;
  /** The file is one of an archive, and this is wanted of it; else any Parquet file. */
  readonly slice?: ArchiveSlice | undefined;
}

/** What tells an archive's file from others. */
const ARCHIVED = ['id', 'customer', 'content_id', 'content', 'created_at', 'action'];

/** Whether columns are those of an archive of content. */
export function isArchived(columns: readonly ParquetColumn[]): boolean {
  return ARCHIVED.every((wanted) => columns.some(({ name }) => name === wanted));
}

/**
 * The SQL (DuckDB's) that reads a file as messages, in the order of its rows: columns `row` (its number in the file, from 0),
 * `time` (the message's time stamp, milliseconds UTC, null where there is none) and `message` (its JSON as UTF-8 bytes). Pure.
 *
 * A row of an archive becomes the message that it was, in the fields of the preset `sluice`, and `archived` with the decision
 * that it was archived with, which joins the metadata. A row of any other file becomes an object of its columns. Nulls
 * there are left out, as are numbers that JSON does not have (within lists they are null); bytes without a type are text where they are UTF-8; decimals
 * are strings, so that they keep their digits.
 */
export function parquetQuery({ path, columns, from, slice }: ParquetQueryInput): string {
  const file = `read_parquet(${literal(quoteGlob(path))}, file_row_number = true, hive_partitioning = false)`;
  // Its own row number must not be taken for the file's.
  const conditions = from > 0 ? [`file_row_number >= ${from}`] : [];
  const [time, message] = slice
    ? [timeOf(columns), archivedMessage(columns, slice)]
    : ['NULL::DOUBLE', plainMessage(columns)];
  if (slice) conditions.push(...conditionsOf(slice));
  const where = conditions.length > 0 ? ` WHERE ${conditions.join(' AND ')}` : '';
  return `SELECT file_row_number AS "row", ${time} AS "time", encode(${message}::VARCHAR) AS "message" FROM ${file}${where}`;
}

function conditionsOf({ customer, from, to }: ArchiveSlice): string[] {
  const at = (millis: number) => `to_timestamp(${millis / 1000})`;
  return [
    ...(customer === undefined ? [] : [`customer = ${literal(customer)}`]),
    ...(from === undefined ? [] : [`created_at >= ${at(from)}`]),
    ...(to === undefined ? [] : [`created_at < ${at(to)}`]),
  ];
}

/** A decision made now is newer than the archived one, whose message was in its topic when it was received. */
function timeOf(columns: readonly ParquetColumn[]): string {
  return has(columns, 'received_at') ? 'epoch_ms(received_at)::DOUBLE' : 'NULL::DOUBLE';
}

function archivedMessage(columns: readonly ParquetColumn[], { scores }: ArchiveSlice): string {
  const optional = (field: string, column: string): [string, string][] =>
    has(columns, column) ? [[field, quoted(column)]] : [];
  const archived = struct([
    ['id', 'id'],
    ['action', 'action'],
    ...optional('reasons', 'reasons'),
    ...(scores ? optional('scores', 'scores') : []),
    ...optional('model', 'model'),
    ...optional('policy', 'policy'),
  ]);
  return `to_json(${struct([
    ['id', 'content_id'],
    ['customer', 'customer'],
    ['text', 'content'],
    ...optional('user', 'user_id'),
    ...optional('type', 'content_type'),
    ...optional('lang', 'language'),
    ['created_at', `strftime(created_at AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%S.%fZ')`],
    ...optional('metadata', 'metadata'),
    ['archived', archived],
  ])})`;
}

function plainMessage(columns: readonly ParquetColumn[]): string {
  const entries = columns.map(({ name: column, type }): [string, string] => [column, valueOf(column, type)]);
  // Merging into an empty object leaves the nulls out.
  return `json_merge_patch('{}', to_json(${struct(entries)}))`;
}

function valueOf(column: string, type: string): string {
  const value = quoted(column);
  if (type === 'BLOB') return `TRY(decode(${value}))`;
  if (type === 'FLOAT' || type === 'DOUBLE') return `CASE WHEN isfinite(${value}) THEN ${value} END`;
  if (/^DECIMAL\([\d, ]+\)$/.test(type)) return `${value}::VARCHAR`;
  return /\b(?:FLOAT|DOUBLE)\b/.test(type) ? withoutNumbersBeyondJson(value) : value;
}

/** Lists, structs and maps as JSON, in which DuckDB writes NaN and Infinity as they are: null in their place, but not in strings. */
function withoutNumbersBeyondJson(value: string): string {
  const json = `to_json(${value})`;
  const parts = String.raw`'"(?:[^"\\]|\\.)*"|-?(?:NaN|Infinity)|[^"NI-]+|[NI-]'`;
  const mended = `array_to_string(list_transform(regexp_extract_all(${json}::VARCHAR, ${parts}),
    lambda part: CASE WHEN part IN ('NaN', '-NaN', 'Infinity', '-Infinity') THEN 'null' ELSE part END), '')::JSON`;
  return `CASE WHEN regexp_matches(${json}::VARCHAR, 'NaN|Infinity') THEN ${mended} ELSE ${json} END`;
}

function has(columns: readonly ParquetColumn[], wanted: string): boolean {
  return columns.some(({ name: column }) => column === wanted);
}

function struct(entries: readonly (readonly [string, string])[]): string {
  return `struct_pack(${entries.map(([key, value]) => `${quoted(key)} := ${value}`).join(', ')})`;
}

function quoted(column: string): string {
  return `"${column.replaceAll('"', '""')}"`;
}

/** A text as a literal of SQL. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A path whose name has `*`, `?` or brackets is no pattern. */
export function quoteGlob(path: string): string {
  return path.replace(/[[*?]/g, '[$&]');
}

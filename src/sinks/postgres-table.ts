import type { Score } from './score.ts';

interface Column {
  readonly name: keyof Score;
  /** As `format_type` names it. */
  readonly type: string;
  readonly isNull?: boolean;
  /** Compared byte by byte: versions must be, and keys are found faster. */
  readonly isBytewise?: boolean;
}

/** The columns of the scores: statement, DDL and check come from them. */
const COLUMNS: readonly Column[] = [
  { name: 'customer', type: 'text', isBytewise: true },
  { name: 'content_id', type: 'text', isBytewise: true },
  { name: 'version', type: 'text', isBytewise: true },
  { name: 'decision_id', type: 'text' },
  { name: 'action', type: 'text' },
  { name: 'reasons', type: 'text[]' },
  { name: 'scores', type: 'jsonb' },
  { name: 'model', type: 'text', isNull: true },
  { name: 'policy', type: 'text', isNull: true },
  { name: 'language', type: 'text', isNull: true },
  { name: 'created_at', type: 'timestamp with time zone', isNull: true },
  { name: 'decided_at', type: 'timestamp with time zone' },
];

const KEY: readonly string[] = ['customer', 'content_id'];

/** `schema.table` or `table` with its parts in quotes, whatever they hold. */
export function quotedTable(table: string): string {
  return table.split('.').map(quoted).join('.');
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** DDL of the table of scores: what `sluice schema --postgres` prints. */
export function postgresDdl(table: string): string {
  const columns = COLUMNS.map(
    ({ name, type, isNull, isBytewise }) =>
      `  ${name} ${type}${isBytewise ? ' COLLATE "C"' : ''}${isNull ? '' : ' NOT NULL'},`,
  );
  return [
    '-- Newest decision on each content. Versions are compared byte by byte, hence COLLATE "C".',
    `CREATE TABLE IF NOT EXISTS ${quotedTable(table)} (`,
    ...columns,
    `  PRIMARY KEY (${KEY.join(', ')})`,
    // Room in each page for new versions of its rows: without it every update also writes to the index.
    ') WITH (fillfactor = 90);',
  ].join('\n');
}

/**
 * The statement that writes scores: $1 is a JSON array of them, with no content twice. Rows are locked in its order. A row with
 * the same version or a newer one stays as it is.
 */
export function postgresUpsert(table: string): string {
  const names = COLUMNS.map(({ name }) => name);
  const typed = COLUMNS.map(({ name, type }) => `${name} ${type}`);
  const updates = names.filter((name) => !KEY.includes(name)).map((name) => `${name} = excluded.${name}`);
  return [
    `INSERT INTO ${quotedTable(table)} AS stored (${names.join(', ')})`,
    `SELECT ${names.join(', ')} FROM json_to_recordset($1::json) AS given(${typed.join(', ')})`,
    `ON CONFLICT (${KEY.join(', ')}) DO UPDATE SET ${updates.join(', ')}`,
    'WHERE excluded.version COLLATE "C" > stored.version COLLATE "C"',
  ].join('\n');
}

/** What the catalog says of a table, for {@link tableProblems}; made by CATALOG_QUERY. */
export interface CatalogTable {
  /** Names and types, as `format_type` has them. */
  readonly columns: readonly { readonly name: string; readonly type: string; readonly required: boolean }[];
  /** Columns of each unique index that covers all rows. */
  readonly keys: readonly (readonly string[])[];
  readonly may_insert: boolean;
  readonly may_update: boolean;
  readonly may_select: boolean;
}

/** Asks for the CatalogTable of $1, a table's name in quotes; no row when there is none. */
export const CATALOG_QUERY = `
SELECT
  (SELECT coalesce(json_agg(json_build_object(
      'name', attname,
      'type', format_type(atttypid, NULL),
      'required', attnotnull AND NOT atthasdef AND attidentity = '' AND attgenerated = '')), '[]')
    FROM pg_attribute WHERE attrelid = class.oid AND attnum > 0 AND NOT attisdropped) AS columns,
  (SELECT coalesce(json_agg((
      SELECT json_agg(attname) FROM pg_attribute WHERE attrelid = indrelid AND attnum = ANY (indkey[0:indnkeyatts - 1]))), '[]')
    FROM pg_index WHERE indrelid = class.oid AND indisunique AND indisvalid AND indpred IS NULL AND indexprs IS NULL) AS keys,
  has_table_privilege(class.oid, 'INSERT') AS may_insert,
  has_table_privilege(class.oid, 'UPDATE') AS may_update,
  has_table_privilege(class.oid, 'SELECT') AS may_select
FROM pg_class AS class WHERE class.oid = to_regclass($1)`;

/** Why scores cannot be written to a table; empty when they can. */
export function tableProblems(table: CatalogTable): string[] {
  const types = new Map(table.columns.map(({ name, type }) => [name, type]));
  const known = new Set<string>(COLUMNS.map(({ name }) => name));
  const columns = COLUMNS.flatMap(({ name, type }) => {
    const got = types.get(name);
    return got === type ? [] : [`column ${name} ${type}, got ${got ?? 'none'}`];
  });
  const others = table.columns
    .filter(({ name, required }) => required && !known.has(name))
    .map(({ name }) => `no other column that must be given, got ${name}`);
  const isKey = (names: readonly string[]) =>
    names.length === KEY.length && KEY.every((name) => names.includes(name));
  const key = table.keys.some(isKey)
    ? []
    : [`a primary key or unique index on (${KEY.join(', ')}), got none`];
  const grants = (['insert', 'update', 'select'] as const)
    .filter((right) => !table[`may_${right}`])
    .map((right) => `the right to ${right}, got none (GRANT ${right.toUpperCase()} ON …)`);
  return [...columns, ...others, ...key, ...grants];
}

import type { TableName } from '../types.ts';

/**
 * Logical type of a column. `category` is a string with few values in a file (a dictionary); `scores` is a struct
 * with one 32-bit float per label of the configured models.
 */
export type ColumnType =
  | 'string'
  | 'category'
  | 'boolean'
  | 'timestamp'
  | 'int32'
  | 'int64'
  | 'list<string>'
  | 'map<string,string>'
  | 'map<string,float>'
  | 'scores';

/** One column of every shard file of a table. */
export interface Column {
  readonly name: string;
  readonly type: ColumnType;
  readonly nullable: boolean;
  readonly description: string;
  /**
   * Where its values come from: `position` is the id made of topic, partition and offset; `slice`: one value for all rows of
   * a slice, among its constants; `row`: streams of its own in the slice.
   */
  readonly from: 'position' | 'slice' | 'row';
  /** Of a category with a value for each row: all values that there are. Rows have an index into them. */
  readonly values?: readonly string[];
  /** False where values hardly repeat: a Parquet dictionary would be built and thrown away. */
  readonly dictionary?: false;
  /** False where least and greatest values help no filter: long text. */
  readonly statistics?: false;
}

/** What every table has of a message: what no other column holds, and where it stands. */
export const MESSAGE_COLUMNS = [
  {
    name: 'metadata',
    type: 'map<string,string>',
    nullable: true,
    from: 'row',
    description: 'Every other field of the message, flat',
  },
  { name: 'topic', type: 'category', nullable: false, from: 'slice', description: 'Source topic' },
  { name: 'partition', type: 'int32', nullable: false, from: 'slice', description: 'Source partition' },
  { name: 'offset', type: 'int64', nullable: false, from: 'row', description: 'Source offset' },
] as const satisfies readonly Column[];

/**
 * A table of the archive: the one definition that Parquet, the Athena DDL, the Glue catalog, the views of `sluice query` and
 * the documentation come from. Columns are only ever added. Each table has `id`, `customer`, `created_at`, `topic`,
 * `partition` and `offset`: what shards, order and `sluice verify` are made of.
 */
export interface Table {
  readonly name: TableName;
  /** Folder below the archive's root: '', or ending in `/`. Within it paths are those of shard.ts. */
  readonly folder: string;
  readonly description: string;
  /** In file order. `scores` is left out of files in which nothing was scored: Parquet knows no empty struct. */
  readonly columns: readonly Column[];
}

/** The columns of a table as a Markdown table: name, type, null, meaning. */
export function columnTable({ columns }: Table): string {
  const rows = columns.map(
    ({ name, type, nullable, description }) =>
      `| \`${name}\` | ${TYPES_IN_WORDS[type]} | ${nullable ? 'yes' : 'no'} | ${description} |`,
  );
  return ['| column | type | null | meaning |', '|---|---|---|---|', ...rows].join('\n');
}

const TYPES_IN_WORDS: Record<ColumnType, string> = {
  string: 'string',
  category: 'string (dictionary)',
  boolean: 'boolean',
  timestamp: 'timestamp (µs, UTC)',
  int32: 'int32',
  int64: 'int64',
  'list<string>': 'list of string',
  'map<string,string>': 'map of string to string',
  'map<string,float>': 'map of string to float',
  scores: 'struct of one float per label',
};

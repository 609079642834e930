/**
 * The one definition of the archive's columns: Parquet, the Athena DDL, the empty view of `sluice query` and the table in
 * the documentation come from it. Columns are only ever added.
 */

/**
 * Logical type of a column. `category` is a string with few values in a file (an Arrow dictionary); `scores` is a struct
 * with one 32-bit float per label of the configured models.
 */
export type ColumnType =
  'string' | 'category' | 'timestamp' | 'int32' | 'int64' | 'list<string>' | 'map<string,string>' | 'scores';

/** One column of every shard file. */
export interface Column {
  readonly name: string;
  readonly type: ColumnType;
  readonly nullable: boolean;
  readonly description: string;
}

/** All columns in file order. `scores` is left out of files in which nothing was scored: Parquet knows no empty struct. */
export const COLUMNS = [
  {
    name: 'id',
    type: 'string',
    nullable: false,
    description: 'Decision id, `topic-partition-offset`: the same on every replay',
  },
  { name: 'customer', type: 'category', nullable: false, description: 'Customer as the message named it' },
  {
    name: 'content_id',
    type: 'string',
    nullable: false,
    description: "The producer's id of the content; the decision id where the message has none",
  },
  { name: 'user_id', type: 'string', nullable: true, description: 'Author of the content' },
  { name: 'content', type: 'string', nullable: false, description: 'The text that was moderated' },
  { name: 'content_type', type: 'string', nullable: true, description: 'Kind of content, such as `comment`' },
  {
    name: 'language',
    type: 'string',
    nullable: true,
    description: 'BCP 47 tag: as the message says, else as detected',
  },
  {
    name: 'created_at',
    type: 'timestamp',
    nullable: false,
    description: 'Event time, µs UTC; rows are in its order',
  },
  {
    name: 'received_at',
    type: 'timestamp',
    nullable: false,
    description: 'When Sluice read the message, µs UTC',
  },
  {
    name: 'decided_at',
    type: 'timestamp',
    nullable: false,
    description: 'When the decision was made, µs UTC',
  },
  { name: 'action', type: 'category', nullable: false, description: '`allow`, `review` or `block`' },
  {
    name: 'reasons',
    type: 'list<string>',
    nullable: true,
    description: 'Labels that led to the action, worst first; null when none did',
  },
  {
    name: 'scores',
    type: 'scores',
    nullable: true,
    description: 'One float per label, 0 to 1, four decimals; null where not scored',
  },
  {
    name: 'model',
    type: 'category',
    nullable: true,
    description: 'Model as `name@version`; null when nothing scored',
  },
  { name: 'policy', type: 'category', nullable: true, description: 'Policy that decided, with its version' },
  {
    name: 'metadata',
    type: 'map<string,string>',
    nullable: true,
    description: 'Every other field of the message, flat',
  },
  { name: 'topic', type: 'category', nullable: false, description: 'Source topic' },
  { name: 'partition', type: 'int32', nullable: false, description: 'Source partition' },
  { name: 'offset', type: 'int64', nullable: false, description: 'Source offset' },
] as const satisfies readonly Column[];

/** Name of a column. */
export type ColumnName = (typeof COLUMNS)[number]['name'];

/** The columns as a Markdown table: name, type, null, meaning. */
export function columnTable(): string {
  const rows = COLUMNS.map(
    ({ name, type, nullable, description }) =>
      `| \`${name}\` | ${TYPES_IN_WORDS[type]} | ${nullable ? 'yes' : 'no'} | ${description} |`,
  );
  return ['| column | type | null | meaning |', '|---|---|---|---|', ...rows].join('\n');
}

const TYPES_IN_WORDS: Record<ColumnType, string> = {
  string: 'string',
  category: 'string (dictionary)',
  timestamp: 'timestamp (µs, UTC)',
  int32: 'int32',
  int64: 'int64',
  'list<string>': 'list of string',
  'map<string,string>': 'map of string to string',
  scores: 'struct of one float per label',
};

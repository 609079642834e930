import { COLUMNS, type Column, type ColumnType } from './columns.ts';
import type { PartitionKey } from './config.ts';

/** What the DDL is made for. */
export interface AthenaOptions {
  /** S3 URI of the archive's root, such as `s3://bucket/archive/`. */
  readonly location: string;
  readonly table?: string;
  readonly partitionBy?: readonly PartitionKey[];
  /** Labels of the configured models, for the fields of `scores`. */
  readonly labels?: readonly string[];
  /** First day of the data, `YYYY-MM-DD`. */
  readonly since?: string;
}

/**
 * `CREATE EXTERNAL TABLE` for Athena with partition projection, so that no crawler is needed. Columns that the path names
 * are partition columns only; `scores` is left out without labels.
 */
export function athenaDdl(options: AthenaOptions): string {
  const { table = 'content', partitionBy = ['customer', 'day'], labels = [], since = '2020-01-01' } = options;
  const location = options.location.replace(/\/*$/, '/');
  const columns = COLUMNS.filter(
    ({ name, type }) =>
      (type !== 'scores' || labels.length > 0) && !(name === 'customer' && partitionBy.includes(name)),
  );
  const lines = columns.map(
    (column) =>
      `  ${quoted(column.name)} ${athenaType(column, labels)} COMMENT '${column.description.replaceAll("'", "''").replaceAll('`', '')}'`,
  );
  const partitions = partitionBy.map((key) => PARTITIONS[key]);
  const properties: [string, string][] = [];
  if (partitions.length > 0) {
    properties.push(['projection.enabled', 'true']);
    for (const key of partitionBy) properties.push(...projection(key, since));
    const template = partitions.map(({ column }) => `${column}=\${${column}}/`).join('');
    properties.push(['storage.location.template', location + template]);
  }
  const notes = ['-- Queries should always name dt: each candidate partition costs one LIST.'];
  if (partitionBy.includes('customer')) {
    notes.push(
      "-- customer is injected: every query needs customer = '…', as it stands in the path: an id with other characters",
      '-- than letters, digits, - and _ is percent-encoded there.',
    );
  }
  return [
    ...notes,
    `CREATE EXTERNAL TABLE ${quoted(table)} (`,
    lines.join(',\n'),
    ')',
    ...(partitions.length > 0
      ? [`PARTITIONED BY (${partitions.map(({ column, type }) => `${quoted(column)} ${type}`).join(', ')})`]
      : []),
    'STORED AS PARQUET',
    `LOCATION '${location}'`,
    ...(properties.length > 0
      ? ['TBLPROPERTIES (', properties.map(([key, value]) => `  '${key}' = '${value}'`).join(',\n'), ')']
      : []),
  ]
    .join('\n')
    .concat(';');
}

const PARTITIONS: Record<PartitionKey, { column: string; type: string }> = {
  customer: { column: 'customer', type: 'string' },
  day: { column: 'dt', type: 'date' },
  hour: { column: 'hour', type: 'int' },
};

function projection(key: PartitionKey, since: string): [string, string][] {
  const properties: Record<PartitionKey, [string, string][]> = {
    customer: [['projection.customer.type', 'injected']],
    day: [
      ['projection.dt.type', 'date'],
      ['projection.dt.format', 'yyyy-MM-dd'],
      ['projection.dt.range', `${since},NOW+3DAYS`],
      ['projection.dt.interval', '1'],
      ['projection.dt.interval.unit', 'DAYS'],
    ],
    hour: [
      ['projection.hour.type', 'integer'],
      ['projection.hour.range', '0,23'],
      ['projection.hour.digits', '2'],
    ],
  };
  return properties[key];
}

function athenaType({ type }: Column, labels: readonly string[]): string {
  const types: Record<ColumnType, string> = {
    string: 'string',
    category: 'string',
    timestamp: 'timestamp',
    int32: 'int',
    int64: 'bigint',
    'list<string>': 'array<string>',
    'map<string,string>': 'map<string,string>',
    scores: `struct<${labels.map((label) => `${quoted(label)}:float`).join(',')}>`,
  };
  return types[type];
}

function quoted(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}

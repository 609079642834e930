import type { TableName } from '../types.ts';
import type { Column, ColumnType } from './columns.ts';
import type { PartitionKey } from './config.ts';
import { TABLES } from './tables.ts';

/** What a table of the catalog depends on. */
export interface CatalogTableOptions {
  /** Which table of the archive; default `content`. */
  readonly of?: TableName | undefined;
  /** S3 URI of the archive's root, such as `s3://bucket/archive/`. */
  readonly location: string;
  /** Its name in the catalog; default: that in the archive. */
  readonly table?: string | undefined;
  /** Default `customer`, `day`, as in the configuration. */
  readonly partitionBy?: readonly PartitionKey[] | undefined;
  /** Labels of the configured models, for the fields of `scores`; without any there is no such column. */
  readonly labels?: readonly string[] | undefined;
  /** First day of the data, `YYYY-MM-DD`; default 2020-01-01. */
  readonly since?: string | undefined;
}

/** A column of the table, with its Hive type as the Glue catalog writes it: `struct<hate:float>`. */
export interface CatalogColumn {
  readonly name: string;
  readonly type: string;
  readonly comment: string;
}

/** The table over an archive, once for Athena's DDL and for the Glue catalog. */
export interface CatalogTable {
  readonly name: string;
  readonly description: string;
  /** With a slash at its end. */
  readonly location: string;
  /** Columns that are in the files; what the path names is in `partitions` alone. */
  readonly columns: readonly CatalogColumn[];
  readonly partitions: readonly { readonly name: string; readonly type: string }[];
  /** Partition projection: https://docs.aws.amazon.com/athena/latest/ug/partition-projection-supported-types.html */
  readonly parameters: Readonly<Record<string, string>>;
  /** Labels that no field of a Hive struct can be named after; their scores are in the files only. */
  readonly unnameable: readonly string[];
}

/** A table over an archive, from the one definition of its columns. */
export function catalogTable(options: CatalogTableOptions): CatalogTable {
  const { of = 'content', partitionBy = ['customer', 'day'], since = '2020-01-01' } = options;
  const table = TABLES[of];
  const labels = table.columns.some(({ type }) => type === 'scores') ? (options.labels ?? []) : [];
  const location = options.location.replace(/\/*$/, '/') + table.folder;
  const fields = structFields(labels);
  const columns = table.columns.filter(
    ({ name, type }) =>
      (type !== 'scores' || fields.length > 0) && !(name === 'customer' && partitionBy.includes('customer')),
  );
  const partitions = partitionBy.map((key) => PARTITIONS[key]);
  const template = partitions.map(({ name }) => `${name}=\${${name}}/`).join('');
  return {
    name: options.table ?? table.name,
    description: table.description,
    location,
    columns: columns.map((column) => ({
      name: column.name,
      type: hiveType(column, fields),
      comment: comment(column.description),
    })),
    partitions,
    parameters: {
      classification: 'parquet',
      ...(partitions.length > 0 && {
        'projection.enabled': 'true',
        ...projections(partitionBy, since),
        'storage.location.template': location + template,
      }),
    },
    unnameable: labels.filter((label) => !fields.includes(label.toLowerCase())),
  };
}

const PARTITIONS: Record<PartitionKey, { readonly name: string; readonly type: string }> = {
  customer: { name: 'customer', type: 'string' },
  day: { name: 'dt', type: 'date' },
  hour: { name: 'hour', type: 'int' },
};

function projections(partitionBy: readonly PartitionKey[], since: string): Record<string, string> {
  const properties: Record<PartitionKey, Record<string, string>> = {
    customer: { 'projection.customer.type': 'injected' },
    day: {
      'projection.dt.type': 'date',
      'projection.dt.format': 'yyyy-MM-dd',
      'projection.dt.range': `${since},NOW+3DAYS`,
      'projection.dt.interval': '1',
      'projection.dt.interval.unit': 'DAYS',
    },
    hour: {
      'projection.hour.type': 'integer',
      'projection.hour.range': '0,23',
      'projection.hour.digits': '2',
    },
  };
  return Object.fromEntries(partitionBy.flatMap((key) => Object.entries(properties[key])));
}

function hiveType({ type }: Column, fields: readonly string[]): string {
  const types: Record<ColumnType, string> = {
    string: 'string',
    category: 'string',
    boolean: 'boolean',
    timestamp: 'timestamp',
    int32: 'int',
    int64: 'bigint',
    'list<string>': 'array<string>',
    'map<string,string>': 'map<string,string>',
    'map<string,float>': 'map<string,float>',
    scores: structType(fields),
  };
  return types[type];
}

/** Hive type of `scores` with these fields. */
export function structType(fields: readonly string[]): string {
  return `struct<${fields.map((field) => `${field}:float`).join(',')}>`;
}

/**
 * Labels as fields of a Hive struct: lower case, each once. Athena allows letters, digits, `_` and `.` there
 * (https://docs.aws.amazon.com/athena/latest/ug/tables-databases-columns-names.html) and looks fields up without case.
 */
function structFields(labels: readonly string[]): string[] {
  return [...new Set(labels.filter((label) => /^[A-Za-z0-9_.]+$/.test(label)).map((l) => l.toLowerCase()))];
}

/** Hive joins neighbouring literals and Athena quotes with backticks, so neither sign may stand in a comment. */
function comment(description: string): string {
  return description.replaceAll('`', '').replaceAll("'", '’');
}

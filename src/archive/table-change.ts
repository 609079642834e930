import type { Column, StorageDescriptor, Table, TableInput } from '@aws-sdk/client-glue';
import { MisconfiguredError } from '../errors.ts';
import { structType, type CatalogColumn, type CatalogTable } from './catalog-table.ts';

/** What makes a table of the Glue catalog the wanted one. */
export interface TableChange {
  /** What is added or set, a line each. Empty, as `refused`: the table is as it should be. */
  readonly changes: readonly string[];
  /** What only `force` does, a line each: readers of the table could lose something by it. */
  readonly refused: readonly string[];
  /** The whole table as it should be, for CreateTable or UpdateTable. */
  readonly input: TableInput;
}

/** How the change is made. */
export interface TableChangeOptions {
  /** The table becomes as wanted, whatever it is now; what is listed as refused otherwise is a change then. */
  readonly force?: boolean | undefined;
  /** Whether the range of `dt` was asked for: else one that the table has already stays. */
  readonly setRange?: boolean | undefined;
}

/** Formats and SerDe of `STORED AS PARQUET`, as Athena writes them into the catalog. */
const FORMAT = {
  InputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat',
  OutputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat',
  SerializationLibrary: 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe',
};

/**
 * Compares a table of the Glue catalog with the wanted one. Columns and fields of `scores` are only added, unless forced:
 * older files have those that the model no longer gives. Parameters of others stay; so does a projection that the table
 * has for a column already, since its owner may have listed the customers. Throws MisconfiguredError for a table of
 * another kind (a view, an Iceberg table), which no force may overwrite.
 */
export function tableChange(
  existing: Table | undefined,
  wanted: CatalogTable,
  options: TableChangeOptions = {},
): TableChange {
  if (!existing) return { changes: [], refused: [], input: inputOf({ Name: wanted.name }, wanted) };
  refuseOtherKinds(existing);
  const changes: string[] = [];
  const refused: string[] = [];
  const note = { change: (line: string) => changes.push(line), refuse: (line: string) => refused.push(line) };
  compareStorage(existing, wanted, note.refuse);
  const columns = mergeColumns(existing.StorageDescriptor?.Columns ?? [], wanted.columns, options, note);
  const parameters = mergeParameters(existing.Parameters ?? {}, wanted, options, note.change);
  const input = inputOf(existing, { ...wanted, columns, parameters });
  return options.force
    ? { changes: [...changes, ...refused], refused: [], input }
    : { changes, refused, input };
}

interface Note {
  readonly change: (line: string) => void;
  readonly refuse: (line: string) => void;
}

function refuseOtherKinds({ Name, TableType, Parameters, TargetTable }: Table): void {
  const kind = TargetTable
    ? 'a link to another table'
    : TableType !== undefined && TableType !== 'EXTERNAL_TABLE'
      ? `a ${TableType}`
      : Parameters?.['table_type'] && `a table of type ${Parameters['table_type']}`;
  if (kind) {
    throw new MisconfiguredError(
      `table ${Name}: expected an external table over Parquet files, got ${kind}; choose another name for the table, or remove it first`,
    );
  }
}

function compareStorage(existing: Table, wanted: CatalogTable, refuse: Note['refuse']): void {
  const { Location, InputFormat, OutputFormat, SerdeInfo } = existing.StorageDescriptor ?? {};
  const compare = (what: string, got: string | undefined, expected: string) => {
    if (got !== expected) refuse(`${what}: expected ${expected || 'none'}, got ${got || 'none'}`);
  };
  compare('location', Location?.replace(/\/*$/, '/'), wanted.location);
  compare('input format', InputFormat, FORMAT.InputFormat);
  compare('output format', OutputFormat, FORMAT.OutputFormat);
  compare('SerDe', SerdeInfo?.SerializationLibrary, FORMAT.SerializationLibrary);
  compare(
    'partition columns',
    existing.PartitionKeys?.map(({ Name, Type }) => `${Name} ${plainType(Type)}`).join(', '),
    wanted.partitions.map(({ name, type }) => `${name} ${type}`).join(', '),
  );
}

function mergeColumns(
  existing: readonly Column[],
  wanted: readonly CatalogColumn[],
  { force }: TableChangeOptions,
  { change, refuse }: Note,
): CatalogColumn[] {
  const wantedByName = new Map(wanted.map((column) => [column.name, column]));
  const kept = existing.map((column): CatalogColumn => {
    const name = column.Name!;
    const is: CatalogColumn = { name, type: plainType(column.Type), comment: column.Comment ?? '' };
    const to = wantedByName.get(name);
    if (!to) {
      const line = `column ${name} ${is.type}: the archive has no such column`;
      // Where no model is configured, older files have scores all the same.
      if (name !== 'scores' || force) refuse(line);
      return is;
    }
    if (is.comment !== to.comment) change(`comment of column ${name}`);
    return { ...to, type: mergeType(is, to, force, { change, refuse }) };
  });
  const names = new Set(kept.map(({ name }) => name));
  const added = wanted.filter(({ name }) => !names.has(name));
  for (const { name, type } of added) change(`column ${name} ${type} added`);
  return force ? [...wanted] : [...kept, ...added];
}

function mergeType(
  { name, type: is }: CatalogColumn,
  { type: to }: CatalogColumn,
  force: boolean | undefined,
  { change, refuse }: Note,
): string {
  if (is === to) return to;
  const has = floatFields(is);
  const gets = floatFields(to);
  if (name !== 'scores' || !has || !gets) {
    refuse(`column ${name}: expected type ${to}, got ${is}`);
    return to;
  }
  const added = gets.filter((field) => !has.includes(field));
  for (const field of added) change(`field ${name}.${field} added`);
  if (force) for (const field of has) if (!gets.includes(field)) change(`field ${name}.${field} removed`);
  return structType([...has, ...added]);
}

/** Fields of a struct whose fields are all floats. */
function floatFields(type: string): string[] | undefined {
  const fields = /^struct<(.*)>$/.exec(type)?.[1]?.split(',');
  return fields?.every((field) => /^[^<>:]+:float$/.test(field))
    ? fields.map((field) => field.slice(0, -':float'.length))
    : undefined;
}

function mergeParameters(
  existing: Readonly<Record<string, string>>,
  wanted: CatalogTable,
  { force, setRange }: TableChangeOptions,
  change: Note['change'],
): Record<string, string> {
  const result = { ...existing };
  const set = (key: string, value: string) => {
    const was = result[key];
    if (was === value) return;
    change(
      was === undefined ? `parameter ${key} = ${value} added` : `parameter ${key}: ${was} becomes ${value}`,
    );
    result[key] = value;
  };
  for (const [key, value] of Object.entries({ ...wanted.parameters, EXTERNAL: 'TRUE' })) {
    const column = /^projection\.([^.]+)\./.exec(key)?.[1];
    const projected = column !== undefined && existing[`projection.${column}.type`] !== undefined;
    if (!projected || force || (setRange && key === 'projection.dt.range')) set(key, value);
  }
  if (force) {
    for (const key of Object.keys(existing)) {
      if (!key.startsWith('projection.') || wanted.parameters[key] !== undefined) continue;
      change(`parameter ${key} removed`);
      delete result[key];
    }
  }
  return result;
}

function inputOf(table: Partial<Table> & { Name: string | undefined }, wanted: CatalogTable): TableInput {
  const { Description, Owner, Retention, StorageDescriptor: storage = {} } = table;
  const descriptor: StorageDescriptor = {
    ...storage,
    Columns: wanted.columns.map(({ name, type, comment }) => ({ Name: name, Type: type, Comment: comment })),
    Location: wanted.location,
    InputFormat: FORMAT.InputFormat,
    OutputFormat: FORMAT.OutputFormat,
    SerdeInfo: {
      ...storage.SerdeInfo,
      SerializationLibrary: FORMAT.SerializationLibrary,
      Parameters: { 'serialization.format': '1', ...storage.SerdeInfo?.Parameters },
    },
  };
  return {
    Name: table.Name,
    Description: Description ?? wanted.description,
    ...(Owner !== undefined && { Owner }),
    ...(Retention !== undefined && { Retention }),
    TableType: 'EXTERNAL_TABLE',
    Parameters: { ...wanted.parameters, EXTERNAL: 'TRUE' },
    PartitionKeys: wanted.partitions.map(({ name, type }) => ({ Name: name, Type: type })),
    StorageDescriptor: descriptor,
  };
}

/** A Hive type without what does not count: case, spaces, quotes, the other name of `int`. */
function plainType(type = ''): string {
  return type
    .toLowerCase()
    .replaceAll(/[\s`]/g, '')
    .replaceAll(/\binteger\b/g, 'int');
}

import {
  Bool,
  Dictionary,
  Field,
  Float32,
  Int32,
  Int64,
  List,
  Map_,
  RecordBatchStreamWriter,
  Schema,
  Struct,
  TimestampMicrosecond,
  Utf8,
  type DataType,
} from 'apache-arrow';
import type { TableName } from '../../types.ts';
import type { Column } from '../columns.ts';

/** Key of the schema in a file's metadata. */
export const ARROW_SCHEMA = 'ARROW:schema';

const made = new Map<string, string>();

/**
 * The Arrow schema of a file, as Arrow's own writers keep it in the metadata: an IPC message in base64. By it pyarrow reads
 * categories as dictionaries, as it reads the names in paths, so that it can join a path's `customer` with the file's.
 */
export function arrowSchema(table: TableName, columns: readonly Column[], labels: readonly string[]): string {
  const key = JSON.stringify([table, labels]);
  let schema = made.get(key);
  if (schema === undefined) made.set(key, (schema = encode(columns, labels)));
  return schema;
}

function encode(columns: readonly Column[], labels: readonly string[]): string {
  const fields = columns.map(
    (column) => new Field(column.name, typeOf(column.type, labels), column.nullable),
  );
  const writer = new RecordBatchStreamWriter();
  writer.reset(undefined, new Schema(fields));
  writer.finish();
  return Buffer.from(writer.toUint8Array(true)).toString('base64');
}

function typeOf(type: Column['type'], labels: readonly string[]): DataType {
  switch (type) {
    case 'string':
      return new Utf8();
    case 'category':
      return new Dictionary(new Utf8(), new Int32());
    case 'boolean':
      return new Bool();
    case 'timestamp':
      return new TimestampMicrosecond('UTC');
    case 'int32':
      return new Int32();
    case 'int64':
      return new Int64();
    case 'list<string>':
      return new List(new Field('element', new Utf8(), false));
    case 'map<string,string>':
      return mapOf(new Utf8());
    case 'map<string,float>':
      return mapOf(new Float32());
    case 'scores':
      break;
  }
  return new Struct(labels.map((label) => new Field(label, new Float32(), true)));
}

function mapOf(value: Utf8 | Float32): DataType {
  const entry = new Struct<{ key: Utf8; value: Utf8 | Float32 }>([
    new Field('key', new Utf8(), false),
    new Field('value', value, true),
  ]);
  return new Map_(new Field('key_value', entry, false));
}

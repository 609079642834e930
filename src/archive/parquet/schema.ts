import type { SchemaElement } from 'hyparquet';
import type { Column } from '../columns.ts';

const TEXT = { type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' } } as const;
const TIME = {
  type: 'INT64',
  converted_type: 'TIMESTAMP_MICROS',
  logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MICROS' },
} as const;

/** The elements of a column in the schema of a file, itself first (nested ones: Parquet's LogicalTypes.md). */
export function elementsOf({ name, type, nullable }: Column, labels: readonly string[]): SchemaElement[] {
  const repetition_type = nullable ? 'OPTIONAL' : 'REQUIRED';
  switch (type) {
    case 'string':
    case 'category':
      return [{ name, repetition_type, ...TEXT }];
    case 'boolean':
      return [{ name, repetition_type, type: 'BOOLEAN' }];
    case 'timestamp':
      return [{ name, repetition_type, ...TIME }];
    case 'int32':
      return [{ name, repetition_type, type: 'INT32' }];
    case 'int64':
      return [{ name, repetition_type, type: 'INT64' }];
    case 'list<string>':
      return [
        { name, repetition_type, num_children: 1, converted_type: 'LIST', logical_type: { type: 'LIST' } },
        { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
        { name: 'element', repetition_type: 'REQUIRED', ...TEXT },
      ];
    case 'map<string,string>':
      return mapOf(name, repetition_type, TEXT);
    case 'map<string,float>':
      return mapOf(name, repetition_type, { type: 'FLOAT' });
    case 'scores':
      break;
  }
  return [
    { name, repetition_type, num_children: labels.length },
    ...labels.map((label): SchemaElement => ({ name: label, repetition_type: 'OPTIONAL', type: 'FLOAT' })),
  ];
}

/** A map of text to values that may be null. */
function mapOf(
  name: string,
  repetition_type: 'OPTIONAL' | 'REQUIRED',
  value: Omit<SchemaElement, 'name'>,
): SchemaElement[] {
  return [
    { name, repetition_type, num_children: 1, converted_type: 'MAP', logical_type: { type: 'MAP' } },
    { name: 'key_value', repetition_type: 'REPEATED', num_children: 2 },
    { name: 'key', repetition_type: 'REQUIRED', ...TEXT },
    { name: 'value', repetition_type: 'OPTIONAL', ...value },
  ];
}

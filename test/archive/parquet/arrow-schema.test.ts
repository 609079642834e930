import { DataType, tableFromIPC } from 'apache-arrow';
import { parquetMetadata } from 'hyparquet';
import { describe, expect, it } from 'vitest';
import { TABLES } from '../../../src/archive/index.ts';
import { scoredFile } from '../rows.ts';

describe('the Arrow schema in a file', () => {
  it('names its columns in order, with categories as dictionaries', async () => {
    const { content } = await scoredFile();
    const { key_value_metadata } = parquetMetadata(content.buffer);
    const value = key_value_metadata?.find(({ key }) => key === 'ARROW:schema')?.value;
    const { fields } = tableFromIPC(Buffer.from(value!, 'base64')).schema;
    const { columns } = TABLES.content;
    expect(fields.map(({ name, nullable }) => [name, nullable])).toEqual(
      columns.map(({ name, nullable }) => [name, nullable]),
    );
    expect(fields.filter(({ type }) => DataType.isDictionary(type)).map(({ name }) => name)).toEqual(
      columns.filter(({ type }) => type === 'category').map(({ name }) => name),
    );
  });
});

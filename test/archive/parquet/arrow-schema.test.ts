import { DataType, tableFromIPC } from 'apache-arrow';
import { parquetMetadata } from 'hyparquet';
import { describe, expect, it } from 'vitest';
import { encodeFile, encodeSlices, TABLES } from '../../../src/archive/index.ts';
import { inputOf, rowOf } from '../rows.ts';

describe('the Arrow schema in a file', () => {
  it('names its columns in order, with categories as dictionaries', async () => {
    const { arena } = encodeSlices(
      inputOf({ rows: [rowOf({ scores: [1] })], labels: ['hate'], model: 'm@1' }),
    );
    const { content } = await encodeFile({
      table: 'content',
      chunks: [arena],
      customer: 'acme',
      rowGroupRows: 10,
      compression: 'zstd',
      transaction: 't',
      version: '0',
    });
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

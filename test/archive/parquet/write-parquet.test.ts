import { parquetMetadata } from 'hyparquet';
import { describe, expect, it } from 'vitest';
import { encodeSlices } from '../../../src/archive/content-slices.ts';
import { encodeFile } from '../../../src/archive/encode.ts';
import { inputOf, rowOf, type TestBatch } from '../rows.ts';

async function written(batches: readonly TestBatch[], rowGroupRows: number) {
  const { content } = await encodeFile({
    table: 'content',
    chunks: batches.map((batch, index) => {
      const input = inputOf(batch);
      return encodeSlices({ ...input, decidedAt: input.decidedAt + index }).arena;
    }),
    customer: undefined,
    rowGroupRows,
    compression: 'none',
    transaction: 'tx1',
    version: '1.2.3',
  });
  const metadata = parquetMetadata(content.buffer);
  const chunks = (path: string) =>
    metadata.row_groups.map(({ columns }) =>
      columns.find((c) => c.meta_data!.path_in_schema.join('.') === path)!,
    );
  return { content, chunks };
}

describe('a file of several row groups', () => {
  it('has bounds of each of them, by which readers skip the others', async () => {
    const rows = Array.from({ length: 400 }, (_, i) =>
      rowOf({ customer: `c${Math.floor(i / 100)}`, createdAt: i, action: i < 100 ? 2 : 0 }),
    );
    const { chunks } = await written([{ rows, partitionBy: ['day'] }], 100);
    const bounds = (path: string) =>
      chunks(path).map(({ meta_data }) => [
        meta_data!.statistics?.min_value,
        meta_data!.statistics?.max_value,
      ]);
    expect(bounds('customer')).toEqual(['c0', 'c1', 'c2', 'c3'].map((name) => [name, name]));
    expect(bounds('action')).toEqual(['block', 'allow', 'allow', 'allow'].map((name) => [name, name]));
  });

  it('does not grow by its slices times its row groups', async () => {
    const batches = Array.from({ length: 600 }, (_, i) => ({ first: i, rows: [rowOf({ createdAt: i })] }));
    const { chunks } = await written(batches, 20);
    const sizes = chunks('decided_at').map(({ meta_data }) => Number(meta_data!.total_compressed_size));
    expect(sizes).toHaveLength(30);
    // Twenty times of eight bytes, their indices, two headers.
    expect(Math.max(...sizes)).toBeLessThan(300);
  });
});

describe('pages', () => {
  it('stay near a mebibyte where metadata is the largest column', async () => {
    const value = 'm'.repeat(10_000);
    const rows = Array.from({ length: 400 }, (_, i) => rowOf({ metadata: [['k', `${value}${i}`]] }));
    const { content, chunks } = await written([{ rows }], 100_000);
    const [chunk] = chunks('metadata.key_value.value');
    // Of four megabytes; the index of pages is there where they are several.
    expect(chunk!.offset_index_length).toBeGreaterThan(20);
    expect(content.length).toBeGreaterThan(4e6);
  });
});

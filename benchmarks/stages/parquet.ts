import { encodeSlices } from '../../src/archive/content-slices.ts';
import { encodeFile } from '../../src/archive/encode.ts';
import { batchOf } from '../archive-rows.ts';
import type { Stage } from './stage.ts';

const ROWS = 100_000;
const BATCH = 5_000;
const PARTITIONS = 4;

/** One shard file from slices: merged by time (four partitions interleave), encoded as Parquet, compressed by zstd. */
export function open(): Promise<Stage> {
  const chunks = Array.from({ length: ROWS / BATCH }, (_, at) => {
    const first = Math.floor(at / PARTITIONS) * BATCH;
    return encodeSlices(batchOf({ rows: BATCH, customers: 1, labels: 3, partition: at % PARTITIONS, first }))
      .arena;
  });
  return Promise.resolve({
    count: ROWS,
    async run() {
      const { content } = await encodeFile({
        table: 'content',
        chunks,
        customer: 'customer-0',
        rowGroupRows: 100_000,
        compression: 'zstd',
        transaction: 'benchmark',
        version: '0',
      });
      return { bytesOut: content.length };
    },
  });
}

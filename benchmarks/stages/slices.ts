import { encodeSlices } from '../../src/archive/content-slices.ts';
import { batchOf } from '../archive-rows.ts';
import type { Stage } from './stage.ts';

const ROWS = 100_000;
const BATCH = 5_000;

/** Rows grouped by shard and written as columns: 50 customers in a batch, three labels. */
export function open(): Promise<Stage> {
  const inputs = Array.from({ length: ROWS / BATCH }, (_, at) =>
    batchOf({ rows: BATCH, customers: 50, labels: 3, first: at * BATCH }),
  );
  return Promise.resolve({
    count: ROWS,
    run: () =>
      Promise.resolve({ bytesOut: inputs.reduce((sum, input) => sum + encodeSlices(input).arena.length, 0) }),
  });
}

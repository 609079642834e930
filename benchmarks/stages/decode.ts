import { ingestConfig } from '../../src/ingest/config.ts';
import { createDecoder } from '../../src/ingest/decode.ts';
import { rawBatches } from './batches.ts';
import type { Stage } from './stage.ts';

/** Raw batches to columns. */
export function open(): Promise<Stage> {
  const batches = rawBatches(50_000);
  const decode = createDecoder(ingestConfig.parse({}));
  return Promise.resolve({
    count: 50_000,
    run() {
      const rows = batches.reduce((sum, batch) => sum + decode(batch).rows, 0);
      if (rows !== 50_000) throw new Error(`expected 50,000 rows, got ${rows}`);
      return Promise.resolve(undefined);
    },
  });
}

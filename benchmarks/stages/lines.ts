import { createLineBatches } from '../../src/ingest/line-batches.ts';
import { content } from '../content.ts';
import type { Stage } from './stage.ts';

const CHUNK = 1024 ** 2;

/** A file of JSON lines cut into batches, as the main thread does it. */
export function open(): Promise<Stage> {
  const lines = [...content({ messages: 50_000, bytes: 300, customers: 50, seed: 11 })];
  const input = Buffer.concat(lines.flatMap((bytes) => [bytes, Buffer.from('\n')]));
  return Promise.resolve({
    count: lines.length,
    run() {
      const cut = createLineBatches({ batchMessages: 1024, batchBytes: CHUNK, maxLineBytes: 64 * CHUNK });
      let rows = 0;
      const add = (batches: readonly { readonly rows: number }[]) => {
        for (const batch of batches) rows += batch.rows;
      };
      for (let at = 0; at < input.length; at += CHUNK) add(cut.push(input.subarray(at, at + CHUNK)));
      add(cut.flush(true));
      if (rows !== lines.length) throw new Error(`expected ${lines.length} lines, got ${rows}`);
      return Promise.resolve(undefined);
    },
  });
}

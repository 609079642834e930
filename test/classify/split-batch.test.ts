import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { batchBuffers, splitBatch } from '../../src/classify/split-batch.ts';
import { headersOf, keyOf, sliceBatch } from '../../src/raw-batch.ts';
import type { RawBatch } from '../../src/types.ts';
import { rawBatch } from './fixtures/raw-batch.ts';

const texts = fc.array(fc.string({ unit: 'grapheme', maxLength: 12 }), { minLength: 2, maxLength: 30 });

function rowsOf(batch: RawBatch): unknown[] {
  return Array.from({ length: batch.rows }, (_, row) => ({
    text: Buffer.from(batch.bytes.subarray(batch.starts[row], batch.ends[row])).toString(),
    offset: batch.offsets[row],
    timestamp: batch.timestamps[row],
    key: keyOf(batch, row),
    headers: headersOf(batch, row),
    isNull: batch.nulls?.[row],
    truncated: batch.truncated?.[row],
  }));
}

describe('splitBatch', () => {
  it('gives two halves that hold the same messages in the same order, and settle the same offsets', () => {
    fc.assert(
      fc.property(texts, fc.boolean(), (given, bare) => {
        const batch = rawBatch(given, { bare });
        const [left, right] = splitBatch(batch);
        expect([...rowsOf(left), ...rowsOf(right)]).toEqual(rowsOf(batch));
        expect(Math.abs(left.rows - right.rows)).toBeLessThanOrEqual(1);
        expect(left.next).toBe(right.offsets[0]);
        expect(right.next).toBe(batch.next);
      }),
    );
  });

  it('shares no memory with the whole batch, so moving a part leaves the rest', () => {
    fc.assert(
      fc.property(texts, (given) => {
        const batch = rawBatch(given);
        const before = rowsOf(batch);
        for (const part of [...splitBatch(batch), sliceBatch(batch, 0, batch.rows)]) {
          structuredClone(part, { transfer: batchBuffers(part) });
          expect(part.offsets).toHaveLength(0);
        }
        expect(rowsOf(batch)).toEqual(before);
      }),
    );
  });
});

import type { RawBatch } from '../../src/types.ts';

/** Receipt of the batches made here: 2026-03-01T00:00:00Z. */
export const RECEIVED_AT = Date.UTC(2026, 2, 1);

/** A batch of the given values, with a stray byte between them as record formats have. */
export function rawBatch(
  values: readonly (string | Uint8Array | null)[],
  more: Partial<RawBatch> & { first?: number } = {},
): RawBatch {
  const { first = 0, ...rest } = more;
  const parts: Uint8Array[] = [];
  const starts: number[] = [];
  const ends: number[] = [];
  let size = 0;
  for (const value of values) {
    const bytes = typeof value === 'string' ? Buffer.from(value) : (value ?? new Uint8Array(0));
    starts.push(size);
    ends.push(size + bytes.length);
    parts.push(bytes, Uint8Array.of(10));
    size += bytes.length + 1;
  }
  return {
    topic: 'posts',
    partition: 3,
    rows: values.length,
    bytes: new Uint8Array(Buffer.concat(parts)),
    starts: Uint32Array.from(starts),
    ends: Uint32Array.from(ends),
    offsets: Float64Array.from(values, (_, row) => first + row),
    timestamps: new Float64Array(values.length).fill(NaN),
    receivedAt: RECEIVED_AT,
    next: first + values.length,
    nulls: Uint8Array.from(values, (value) => (value === null ? 1 : 0)),
    ...rest,
  };
}

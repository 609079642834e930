import { bitWidth, packBits } from './bits.ts';
import type { GrowingBytes } from './growing-bytes.ts';

const BLOCK = 128;
const MINIBLOCK = 32;
const MINIBLOCKS = BLOCK / MINIBLOCK;

/** Whole numbers of at most this size have differences that a float64 holds exactly. */
export const DELTA_LIMIT = 2 ** 51;

/**
 * Appends whole numbers within ±{@link DELTA_LIMIT} as differences in blocks of 128 (Parquet's Encodings.md, "Delta encoding
 * (DELTA_BINARY_PACKED)").
 */
export function writeDelta(output: GrowingBytes, values: Float64Array): void {
  output.varint(BLOCK);
  output.varint(MINIBLOCKS);
  output.varint(values.length);
  output.zigzag(values[0] ?? 0);
  const deltas = new Float64Array(BLOCK);
  for (let first = 1; first < values.length; first += BLOCK) {
    const count = Math.min(BLOCK, values.length - first);
    let least = Infinity;
    for (let i = 0; i < count; i++) {
      const delta = values[first + i]! - values[first + i - 1]!;
      deltas[i] = delta;
      if (delta < least) least = delta;
    }
    output.zigzag(least);
    output.ensure(MINIBLOCKS);
    const widths = output.position;
    output.position += MINIBLOCKS;
    for (let mini = 0; mini < MINIBLOCKS; mini++) {
      const start = mini * MINIBLOCK;
      const end = Math.min(count, start + MINIBLOCK);
      let most = 0;
      for (let i = start; i < end; i++) {
        const above = deltas[i]! - least;
        deltas[i] = above;
        if (above > most) most = above;
      }
      const width = bitWidth(most);
      output.bytes[widths + mini] = width;
      // Of a last block, miniblocks without values are left out.
      if (start < end) packBits(output, deltas, { start, end, count: MINIBLOCK, width });
    }
  }
}

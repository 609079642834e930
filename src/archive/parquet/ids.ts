import type { ChunkValues } from './chunk.ts';
import type { GrowingBytes } from './growing-bytes.ts';

const MINUS = 45;
const ZERO = 48;
/** Digits of the greatest offset, a sign, and the length before them. */
const MOST_BYTES = 4 + 1 + 16;

/** The ids `topic-partition-offset` of some rows; `prefixes` holds the encoded `topic-partition-` of each slice. */
export function idValues(
  offset: Float64Array,
  sliceOf: Int32Array,
  prefixes: readonly Uint8Array[],
  rows: Int32Array,
): ChunkValues {
  return {
    encoding: 'PLAIN',
    valueBytes: MOST_BYTES + (prefixes[0]?.length ?? 0),
    write(output, from, to) {
      for (let i = from; i < to; i++) writeId(output, prefixes[sliceOf[rows[i]!]!]!, offset[rows[i]!]!);
    },
  };
}

function writeId(output: GrowingBytes, prefix: Uint8Array, offset: number): void {
  output.ensure(prefix.length + MOST_BYTES);
  const { bytes, position } = output;
  let at = position + 4;
  for (let j = 0; j < prefix.length; j++) bytes[at++] = prefix[j]!;
  let rest = offset;
  if (rest < 0) {
    bytes[at++] = MINUS;
    rest = -rest;
  }
  let digits = 1;
  for (let power = 10; rest >= power; power *= 10) digits++;
  const first = at;
  at += digits;
  let place = at;
  // Whole 32-bit numbers divide far faster than floats.
  while (rest > 0x7fffffff) {
    const quotient = Math.floor(rest / 10);
    bytes[--place] = ZERO + (rest - quotient * 10);
    rest = quotient;
  }
  let small = rest | 0;
  while (place > first) {
    const quotient = (small / 10) | 0;
    bytes[--place] = ZERO + (small - quotient * 10);
    small = quotient;
  }
  output.setUint32(position, at - position - 4);
  output.position = at;
}

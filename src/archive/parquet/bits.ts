import type { GrowingBytes } from './growing-bytes.ts';

/** Bits that a whole number from 0 to 2^53 needs. */
export function bitWidth(value: number): number {
  return value < 4294967296 ? 32 - Math.clz32(value) : 64 - Math.clz32(Math.floor(value / 4294967296));
}

/**
 * Appends values of `width` bits each (0 to 53), the least significant bit first, to `count` of them; behind the last value
 * zeros. `count × width` must be a multiple of 8.
 */
export function packBits(
  output: GrowingBytes,
  values: ArrayLike<number>,
  { start, end, count, width }: { start: number; end: number; count: number; width: number },
): void {
  if (width === 0) return;
  output.ensure((count * width) / 8 + 8);
  const { bytes } = output;
  let at = output.position;
  // At most 7 bits wait here, so that 24 more fit.
  let waiting = 0;
  let used = 0;
  const last = Math.min(end, start + count);
  for (let i = start; i < last; i++) {
    let value = values[i]!;
    let left = width;
    while (left > 24) {
      const low = value % 65536;
      value = (value - low) / 65536;
      waiting |= low << used;
      bytes[at++] = waiting;
      bytes[at++] = waiting >>> 8;
      waiting >>>= 16;
      left -= 16;
    }
    waiting |= value << used;
    used += left;
    while (used >= 8) {
      bytes[at++] = waiting;
      waiting >>>= 8;
      used -= 8;
    }
  }
  const ending = output.position + (count * width) / 8;
  if (at < ending) bytes[at++] = waiting;
  bytes.fill(0, at, ending);
  output.position = ending;
}

/**
 * Appends levels or dictionary indices as runs and bit-packed groups of eight (Parquet's Encodings.md, "RLE/Bit-packing
 * hybrid"), without a length before them.
 */
export function writeHybrid(output: GrowingBytes, values: Uint8Array | Int32Array, width: number): void {
  const { length } = values;
  let packedFrom = 0;
  let i = 0;
  const flush = () => {
    if (packedFrom === i) return;
    const groups = Math.ceil((i - packedFrom) / 8);
    output.varint(groups * 2 + 1);
    packBits(output, values, { start: packedFrom, end: length, count: groups * 8, width });
  };
  while (i < length) {
    const value = values[i]!;
    let end = i + 1;
    while (end < length && values[end] === value) end++;
    if (end - i < 8) {
      // A group begins where the one before it ended: only the last one may be short.
      i = Math.min(length, i + 8);
      continue;
    }
    flush();
    writeRun(output, value, end - i, width);
    packedFrom = i = end;
  }
  flush();
}

/** Appends one run of a value. */
export function writeRun(output: GrowingBytes, value: number, count: number, width: number): void {
  output.varint(count * 2);
  for (let bits = 0; bits < width; bits += 8) output.uint8((value >>> bits) & 0xff);
}

/** A growing buffer of little-endian values. Call `ensure` before writing to `bytes` directly. */
export class GrowingBytes {
  bytes: Uint8Array<ArrayBuffer>;
  position = 0;

  constructor(capacity: number) {
    this.bytes = new Uint8Array(Math.max(64, capacity));
  }

  /** Makes room for `count` more bytes. */
  ensure(count: number): void {
    const needed = this.position + count;
    if (needed <= this.bytes.length) return;
    const capacity = Math.max(needed, this.bytes.length * 2);
    this.bytes = new Uint8Array(this.bytes.buffer.transfer(capacity));
  }

  uint8(value: number): void {
    this.ensure(1);
    this.bytes[this.position++] = value;
  }

  uint32(value: number): void {
    this.ensure(4);
    this.setUint32(this.position, value);
    this.position += 4;
  }

  /** Writes over four bytes that are there. */
  setUint32(at: number, value: number): void {
    const { bytes } = this;
    bytes[at] = value;
    bytes[at + 1] = value >>> 8;
    bytes[at + 2] = value >>> 16;
    bytes[at + 3] = value >>> 24;
  }

  /** A whole number from 0 to 2^53 in seven bits a byte (ULEB128). */
  varint(value: number): void {
    this.ensure(8);
    let rest = value;
    while (rest >= 128) {
      this.bytes[this.position++] = (rest % 128) | 128;
      rest = Math.floor(rest / 128);
    }
    this.bytes[this.position++] = rest;
  }

  /** A whole number of either sign, of at most 2^52. */
  zigzag(value: number): void {
    this.varint(value < 0 ? -value * 2 - 1 : value * 2);
  }

  /** Copies `from[start .. end)`. */
  copy(from: Uint8Array, start: number, end: number): void {
    const length = end - start;
    this.ensure(length);
    const { bytes, position } = this;
    // Below this the call into native code costs more than the bytes.
    if (length > SHORT) bytes.set(from.subarray(start, end), position);
    else for (let i = 0; i < length; i++) bytes[position + i] = from[start + i]!;
    this.position = position + length;
  }

  /** What was written, in place. */
  written(): Uint8Array<ArrayBuffer> {
    return this.bytes.subarray(0, this.position);
  }
}

const SHORT = 32;

/** Longest string that is written by a loop: below it the call into native code costs more than the bytes. */
const SHORT = 24;

/**
 * One growing buffer of little-endian values and UTF-8 text. Positions are bytes; `align()` before writing or reading
 * through `int32` or `float64`, which are views of the whole buffer and change when it grows.
 */
export class Arena {
  bytes: Buffer<ArrayBuffer>;
  int32: Int32Array<ArrayBuffer>;
  float32: Float32Array<ArrayBuffer>;
  float64: Float64Array<ArrayBuffer>;
  position = 0;

  constructor(capacity: number) {
    this.bytes = Buffer.from(new ArrayBuffer(Math.max(64, (capacity + 7) & ~7)));
    this.int32 = new Int32Array(this.bytes.buffer);
    this.float32 = new Float32Array(this.bytes.buffer);
    this.float64 = new Float64Array(this.bytes.buffer);
  }

  /** Makes room for `count` more bytes. Call it before every write. */
  ensure(count: number): void {
    if (this.position + count > this.bytes.length) this.grow(this.position + count);
  }

  private grow(needed: number): void {
    const capacity = (Math.max(needed, this.bytes.length * 2) + 7) & ~7;
    const larger = Buffer.from(this.bytes.buffer.transfer(capacity));
    this.bytes = larger;
    this.int32 = new Int32Array(larger.buffer);
    this.float32 = new Float32Array(larger.buffer);
    this.float64 = new Float64Array(larger.buffer);
  }

  /** Moves on to a multiple of eight. */
  align(): void {
    this.ensure(8);
    while ((this.position & 7) !== 0) this.bytes[this.position++] = 0;
  }

  /** Appends text as UTF-8 (lone surrogates become U+FFFD); returns the number of bytes. */
  text(value: string): number {
    const { length } = value;
    this.ensure(length * 3);
    const { bytes, position } = this;
    if (length <= SHORT) {
      let i = 0;
      for (; i < length; i++) {
        const code = value.charCodeAt(i);
        if (code > 127) break;
        bytes[position + i] = code;
      }
      if (i === length) {
        this.position = position + length;
        return length;
      }
    }
    const written = bytes.write(value, position);
    this.position = position + written;
    return written;
  }
}

/** Offsets of a page, and the bytes of its bits. */
const PAGE = 65_536;

/** A set of offsets: one bit each, in pages that are made when something falls into them. */
export interface OffsetSet {
  /** Whether the offset was not in the set before; it is from then on. */
  add(offset: number): boolean;
  has(offset: number): boolean;
}

/** An empty set. Offsets are whole numbers from 0 to 2^53; its memory is 8 KiB for each page of 65,536 that is touched. */
export function createOffsetSet(): OffsetSet {
  const pages = new Map<number, Uint8Array>();
  // Offsets of a file come in runs, so nearly always from the page of the one before.
  let last: { readonly number: number; readonly bits: Uint8Array } | undefined;

  function pageOf(number: number): Uint8Array | undefined {
    if (last?.number === number) return last.bits;
    const bits = pages.get(number);
    if (bits) last = { number, bits };
    return bits;
  }

  return {
    add(offset) {
      const number = Math.floor(offset / PAGE);
      let bits = pageOf(number);
      if (!bits) {
        bits = new Uint8Array(PAGE / 8);
        pages.set(number, bits);
        last = { number, bits };
      }
      const at = offset % PAGE;
      const mask = 1 << (at & 7);
      if ((bits[at >> 3]! & mask) !== 0) return false;
      bits[at >> 3]! |= mask;
      return true;
    },
    has(offset) {
      const at = offset % PAGE;
      const bits = pageOf(Math.floor(offset / PAGE));
      return bits !== undefined && (bits[at >> 3]! & (1 << (at & 7))) !== 0;
    },
  };
}

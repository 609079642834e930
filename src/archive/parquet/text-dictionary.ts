import type { TextColumn } from '../merge.ts';

/** Share of distinct values from which on a dictionary saves nothing. */
const MOST_DISTINCT = 0.6;
/** Values after which that can be told. */
const SAMPLE = 4096;
const MOST_ENTRIES = 65_536;
/** Other values of the same hash that a value is compared with, on average, before there is no dictionary. */
const MOST_COLLISIONS = 8;
/** Bytes of a value that its hash reads from its beginning, its middle and its end. */
const HASHED = 24;

/** The distinct values of a text column, in order of appearance. */
export interface TextDictionary {
  /** Of each item the index of its value. */
  readonly indices: Int32Array;
  /** The items that brought each value. */
  readonly firsts: Int32Array;
}

/**
 * Finds the distinct values among `items` (none of them null); undefined when too few values repeat for a dictionary, or
 * they are too alike to be told apart quickly.
 */
export function findDistinct(column: TextColumn, items: Int32Array): TextDictionary | undefined {
  const { starts, data } = column;
  const indices = new Int32Array(items.length);
  const firsts: number[] = [];
  const hashes: number[] = [];
  // Open addressing; entries are indices + 1. Never more than half full.
  let slots = new Int32Array(256);
  // Senders choose the values: those that differ only where the hash does not look would cost their number squared.
  let collisions = SAMPLE + items.length * MOST_COLLISIONS;
  const grow = () => {
    slots = new Int32Array(slots.length * 4);
    for (let entry = 0; entry < hashes.length; entry++) {
      let slot = hashes[entry]! & (slots.length - 1);
      while (slots[slot] !== 0) slot = (slot + 1) & (slots.length - 1);
      slots[slot] = entry + 1;
    }
  };
  for (let i = 0; i < items.length; i++) {
    const start = starts[items[i]!]!;
    const end = starts[items[i]! + 1]!;
    const hash = hashOf(data, start, end);
    let slot = hash & (slots.length - 1);
    let entry = slots[slot]!;
    while (
      entry !== 0 &&
      (hashes[entry - 1] !== hash || !isEqual(data, start, end, starts, firsts[entry - 1]!))
    ) {
      if (--collisions < 0) return undefined;
      slot = (slot + 1) & (slots.length - 1);
      entry = slots[slot]!;
    }
    if (entry === 0) {
      entry = firsts.push(items[i]!);
      hashes.push(hash);
      if (i >= SAMPLE && entry > i * MOST_DISTINCT) return undefined;
      if (entry > MOST_ENTRIES) return undefined;
      slots[slot] = entry;
      if (entry * 2 > slots.length) grow();
    }
    indices[i] = entry - 1;
  }
  if (firsts.length > 8 && firsts.length > items.length * MOST_DISTINCT) return undefined;
  return { indices, firsts: Int32Array.from(firsts) };
}

/** FNV-1a over parts of the value, and its length. */
function hashOf(data: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5 ^ (end - start);
  const head = Math.min(end, start + HASHED);
  for (let i = start; i < head; i++) hash = Math.imul(hash ^ data[i]!, 0x01000193);
  const tail = Math.max(head, end - HASHED);
  const middle = Math.max(head, ((head + tail) >>> 1) - HASHED / 2);
  for (let i = middle; i < tail && i < middle + HASHED; i++) hash = Math.imul(hash ^ data[i]!, 0x01000193);
  for (let i = tail; i < end; i++) hash = Math.imul(hash ^ data[i]!, 0x01000193);
  return hash ^ (hash >>> 15);
}

function isEqual(data: Uint8Array, start: number, end: number, starts: Int32Array, other: number): boolean {
  let at = starts[other]!;
  if (starts[other + 1]! - at !== end - start) return false;
  for (let i = start; i < end; i++) if (data[i] !== data[at++]) return false;
  return true;
}

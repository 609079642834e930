/** SHA-256 hashes by their first 128 bits, of which no two texts can be made to share any: a table of 16-byte slots. */
export interface HashSet {
  /** Number of distinct hashes. */
  readonly size: number;
  /** Whether a hash, given as 16 bytes or more, is in the set. */
  has(hash: Buffer): boolean;
}

/** Words of 32 bits that are kept of a hash. */
const WORDS = 4;
/** Slots for each hash: with a quarter of them empty a look-up reads few. */
const SLOTS = 4 / 3;

/** Adds `count` hashes at most, each as 16 bytes or more; 21 bytes of memory for each. */
export function createHashSet(count: number, hashes: Iterable<Buffer>): HashSet {
  // One more, so that every search ends at an empty slot.
  const slots = Math.ceil(count * SLOTS) + 1;
  const table = new Uint32Array(slots * WORDS);
  let size = 0;
  /** Index of the hash's first word in the table, or of the empty slot where it would be. */
  const find = (hash: Buffer): number => {
    const first = wordOf(hash, 0);
    // Hashes are uniform: their upper bits are as good as any hash of them.
    let slot = Math.floor((first / 2 ** 32) * slots);
    for (;;) {
      const at = slot * WORDS;
      if (table[at + 3] === 0) return at;
      let word = 0;
      while (word < WORDS && table[at + word] === wordOf(hash, word)) word++;
      if (word === WORDS) return at;
      slot = slot + 1 === slots ? 0 : slot + 1;
    }
  };
  for (const hash of hashes) {
    const at = find(hash);
    if (table[at + 3] !== 0) continue;
    for (let word = 0; word < WORDS; word++) table[at + word] = wordOf(hash, word);
    size++;
  }
  return { size, has: (hash) => table[find(hash) + 3] !== 0 };
}

/** The last word is never 0, which stands for an empty slot. */
function wordOf(hash: Buffer, word: number): number {
  const value = hash.readUInt32BE(word * 4);
  return word === WORDS - 1 && value === 0 ? 1 : value;
}

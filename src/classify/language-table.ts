import { readFileSync } from 'node:fs';
import { MisconfiguredError, messageOf } from '../errors.ts';

const MAGIC = 'SLUICELG';
const LAYOUT = 1;
const HEADER_BYTES = 28;
/** A bit for each UTF-16 code unit. */
const LETTER_BYTES = 0x10000 / 8;
const LANGUAGE_BYTES = 4;
const NGRAM_BYTES = 7;
const POSTING_BYTES = 2;

/** How much each n-gram of bytes speaks for which languages. An n-gram is known by two numbers of three bytes each. */
export interface LanguageTable {
  /** ISO 639-1 codes. */
  readonly languages: readonly string[];
  /** The score that texts in each language usually have, 0 to 1. */
  readonly usual: Float32Array;
  /** 1 for the code units that are letters. */
  readonly letters: Uint8Array;
  /** Number of an n-gram of up to six bytes, -1 when it says nothing: its first three bytes, the others, 0 where there is none. */
  readonly find: (high: number, low: number) => number;
  /** The postings of n-gram i are `first[i] .. first[i + 1])`. */
  readonly first: Uint32Array;
  /** Index into `languages` of each posting, and what it adds to that one's score. */
  readonly language: Uint8Array;
  readonly weight: Uint16Array;
}

/**
 * Reads `ngrams.bin`. Little-endian: `SLUICELG`; layout, languages, n-grams, postings and the least weight, u32 each; a bit for each
 * of 65,536 code units, 1 for letters; for each language its code, two characters, and its usual score in thousandths, u16;
 * for each n-gram six bytes, 0 after its end, and its number of postings, u8; for each posting the language and its weight
 * beyond the least, u8 each. Throws MisconfiguredError when it is no such file, or another length than its header says.
 */
export function readLanguageTable(file: string): LanguageTable {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    throw new MisconfiguredError(`${file}: expected a table of languages, got ${messageOf(error)}`);
  }
  if (bytes.length < HEADER_BYTES || bytes.toString('latin1', 0, MAGIC.length) !== MAGIC)
    throw new MisconfiguredError(
      `${file}: expected a table of languages (${MAGIC}), got another kind of file`,
    );
  const [layout, languages, ngrams, postings, least] = [8, 12, 16, 20, 24].map((at) =>
    bytes.readUInt32LE(at),
  ) as [number, number, number, number, number];
  if (layout !== LAYOUT)
    throw new MisconfiguredError(`${file}: expected layout ${LAYOUT} of a table of languages, got ${layout}`);
  const languagesAt = HEADER_BYTES + LETTER_BYTES;
  const ngramsAt = languagesAt + languages * LANGUAGE_BYTES;
  const postingsAt = ngramsAt + ngrams * NGRAM_BYTES;
  const expected = postingsAt + postings * POSTING_BYTES;
  if (bytes.length !== expected)
    throw new MisconfiguredError(`${file}: expected ${expected} bytes, got ${bytes.length}`);

  const first = new Uint32Array(ngrams + 1);
  for (let i = 0; i < ngrams; i++) first[i + 1] = first[i]! + bytes[ngramsAt + i * NGRAM_BYTES + 6]!;
  const language = Uint8Array.from({ length: postings }, (_, i) => bytes[postingsAt + 2 * i]!);
  if (first[ngrams] !== postings || language.some((index) => index >= languages))
    throw new MisconfiguredError(
      `${file}: expected ${postings} postings of ${languages} languages, got others; is the file damaged?`,
    );
  return {
    languages: Array.from({ length: languages }, (_, i) =>
      bytes.toString('latin1', languagesAt + i * LANGUAGE_BYTES, languagesAt + i * LANGUAGE_BYTES + 2),
    ),
    usual: Float32Array.from(
      { length: languages },
      (_, i) => bytes.readUInt16LE(languagesAt + i * LANGUAGE_BYTES + 2) / 1000,
    ),
    letters: Uint8Array.from(
      { length: 0x10000 },
      (_, unit) => (bytes[HEADER_BYTES + (unit >> 3)]! >> (unit & 7)) & 1,
    ),
    find: indexOf(bytes.subarray(ngramsAt, postingsAt), ngrams),
    first,
    language,
    weight: Uint16Array.from({ length: postings }, (_, i) => bytes[postingsAt + 2 * i + 1]! + least),
  };
}

/** A hash table with open addressing: a `Map` with numbers of 48 bits as keys takes three times as long and ten times the memory. */
function indexOf(bytes: Buffer, count: number): LanguageTable['find'] {
  const high = Int32Array.from({ length: count }, (_, i) => bytes.readUIntBE(i * NGRAM_BYTES, 3));
  const low = Int32Array.from({ length: count }, (_, i) => bytes.readUIntBE(i * NGRAM_BYTES + 3, 3));
  const mask = 2 ** Math.ceil(Math.log2(2 * count + 1)) - 1;
  /** Number of the n-gram plus 1; 0: free. */
  const slots = new Int32Array(mask + 1);
  for (let i = 0; i < count; i++) {
    let slot = hashOf(high[i]!, low[i]!) & mask;
    while (slots[slot] !== 0) slot = (slot + 1) & mask;
    slots[slot] = i + 1;
  }
  return (wantedHigh, wantedLow) => {
    for (let slot = hashOf(wantedHigh, wantedLow) & mask; ; slot = (slot + 1) & mask) {
      const found = slots[slot]! - 1;
      if (found < 0 || (high[found] === wantedHigh && low[found] === wantedLow)) return found;
    }
  };
}

/** 32 bits of an n-gram; multipliers are odd and without pattern. */
export function hashOf(high: number, low: number): number {
  const mixed = Math.imul(high, 0x9e3779b1) ^ Math.imul(low, 0x85ebca77);
  return mixed ^ (mixed >>> 15);
}

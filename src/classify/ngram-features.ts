/**
 * Hashed n-grams of a text, as `training/ngram_features.py` computes them: that file has the rules, and the fixture of
 * test/classify/linear-model.test.ts holds both to the same answers.
 */

/** Units of a text that are read. */
const CHARACTERS = 1024;
const SHORTEST = 2;
const LONGEST = 5;
/** FNV-1a's prime; the seeds of the two kinds of feature; the odd number that moves a hash's entropy into its upper bits. */
const PRIME = 0x01000193;
const RUN_SEED = 0x811c9dc5;
const WORD_SEED = 0x2b7e1516;
const SPREAD = 0x9e3779b1;
const SPACE = 0x20;
const ZERO = 0x30;

const SEPARATES = 0;
const STANDS_ALONE = 1;
const IN_WORD = 2;

/** The buckets of a text's n-grams, each occurrence once; valid until the next call. Empty for a text without words. Pure. */
export type NgramFeatures = (text: string) => Int32Array;

/** Makes the function that finds the n-grams of a text: buckets 0 .. 2^bits - 1. */
export function createNgramFeatures(bits: number): NgramFeatures {
  const shift = 32 - bits;
  // A space at both ends of each word; lower case can be longer than what it was made of.
  let units = new Uint16Array(4 * CHARACTERS);
  let found = new Int32Array(12 * units.length);

  return (text) => {
    const lower = (text.length > CHARACTERS ? text.slice(0, CHARACTERS) : text).toLowerCase();
    if (2 * lower.length + 2 > units.length) {
      units = new Uint16Array(2 * lower.length + 2);
      found = new Int32Array(12 * units.length);
    }
    let count = 0;
    let previous = 0;
    let hasPrevious = false;
    let at = 0;
    while (at < lower.length) {
      const unit = lower.charCodeAt(at);
      const kind = KINDS[unit]!;
      if (kind === SEPARATES) {
        at++;
        continue;
      }
      let hash = WORD_SEED;
      if (kind === STANDS_ALONE) {
        hash = Math.imul(hash ^ unit, PRIME);
        at++;
      } else {
        units[0] = SPACE;
        let length = 1;
        for (; at < lower.length; at++) {
          let next = lower.charCodeAt(at);
          if (KINDS[next] !== IN_WORD) break;
          if (next > ZERO && next <= ZERO + 9) next = ZERO;
          units[length++] = next;
          hash = Math.imul(hash ^ next, PRIME);
        }
        units[length++] = SPACE;
        for (let start = 0; start < length; start++) {
          const end = Math.min(start + LONGEST, length);
          let run = Math.imul(RUN_SEED ^ units[start]!, PRIME);
          for (let i = start + SHORTEST - 1; i < end; i++) {
            run = Math.imul(run ^ units[i]!, PRIME);
            found[count++] = Math.imul(run, SPREAD) >>> shift;
          }
        }
      }
      found[count++] = Math.imul(hash, SPREAD) >>> shift;
      if (hasPrevious) {
        const pair = Math.imul(Math.imul(previous ^ SPACE, PRIME) ^ hash, PRIME);
        found[count++] = Math.imul(pair, SPREAD) >>> shift;
      }
      previous = hash;
      hasPrevious = true;
    }
    return found.subarray(0, count);
  };
}

/** What each UTF-16 unit is: white space, ASCII punctuation, or part of a word. */
function kinds(): Uint8Array {
  const table = new Uint8Array(1 << 16).fill(IN_WORD);
  table.fill(STANDS_ALONE, 0, 0x80);
  for (const [first, last] of ['09', 'AZ', 'az'] as const)
    table.fill(IN_WORD, first!.charCodeAt(0), last!.charCodeAt(0) + 1);
  for (const [first, last] of WHITE_SPACE) table.fill(SEPARATES, first, last + 1);
  return table;
}

const WHITE_SPACE: readonly (readonly [first: number, last: number])[] = [
  [0, 0x20],
  [0x7f, 0x7f],
  [0x85, 0x85],
  [0xa0, 0xa0],
  [0x1680, 0x1680],
  [0x2000, 0x200f],
  [0x2028, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
  [0xfeff, 0xfeff],
];

const KINDS = kinds();

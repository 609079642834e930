import { hashOf, type LanguageTable } from './language-table.ts';

/** What the n-grams of a text say. */
export interface LanguageScore {
  /** ISO 639-1 code of the language with the highest score. */
  readonly language: string;
  /** 0 to 1. */
  readonly score: number;
  /** The score of the second best language, 0 when there is none. */
  readonly second: number;
  /** The score that is usual for texts in the language. */
  readonly usual: number;
  /** Number of distinct n-grams. */
  readonly ngrams: number;
}

const SPACE = 0x20;
/** U+0307 stays after the `i` that a Turkish capital becomes, in which it is no letter. */
const DOT_ABOVE = 0x307;
const APOSTROPHES = [0x27, 0x60, 0x2019];
const LETTER = 1;
const APOSTROPHE = 2;
const LONGEST_WORD = 70;
/** Bytes after which no word begins, and no letter is read: what `eld` takes. */
const LAST_WORD = 350;
const MOST_BYTES = 380;
/** First bytes of two for which the alphabet of the table has no sign, so that they are read as spaces: those of Yoruba `ǹ`, of Thaana. */
const UNNAMED = [0xc7, 0xca, 0xcb, 0xcc, 0xcd, 0xd4, 0xdc, 0xdd, 0xde, 0xdf];
/** The byte read for each first byte of two, from 0xc0 on. */
const FIRST_OF_TWO = Uint8Array.from({ length: 0x20 }, (_, i) =>
  UNNAMED.includes(0xc0 + i) ? SPACE : 0xc0 + i,
);
/** Score of a mean weight: weight / (weight + 25). */
const SCALE = 25;
/** Of a text of 380 bytes fewer than 200 n-grams are read. */
const SLOTS = 512;

/**
 * Makes the function that scores a short text by the rule of `eld` 2, from which the table is: letters in small, in words, each
 * word as UTF-8; of a word every third n-gram of four bytes and its last four, with a space where the word begins and ends. Each
 * distinct n-gram adds its weights; a language's score is their mean over all n-grams, scaled to 0 to 1. Null when no
 * n-gram is known. A word is read up to 70 bytes, a text up to 380. Not to be called by two threads.
 */
export function createLanguageScores(table: LanguageTable): (text: string) => LanguageScore | null {
  const { languages, usual, find, first, language, weight } = table;
  const kinds = table.letters.slice();
  kinds[DOT_ABOVE] = LETTER;
  for (const unit of APOSTROPHES) kinds[unit] = APOSTROPHE;
  const scores = new Uint32Array(languages.length);
  const word = new Uint8Array(MOST_BYTES + 8);
  /** The n-grams of this text: a slot is taken when `takenIn` has its round. */
  const highs = new Int32Array(SLOTS);
  const lows = new Int32Array(SLOTS);
  const takenIn = new Float64Array(SLOTS);
  let round = 0;
  let ngrams = 0;

  const add = (high: number, low: number): void => {
    let slot = hashOf(high, low) & (SLOTS - 1);
    for (; takenIn[slot] === round; slot = (slot + 1) & (SLOTS - 1))
      if (highs[slot] === high && lows[slot] === low) return;
    takenIn[slot] = round;
    highs[slot] = high;
    lows[slot] = low;
    ngrams++;
    const found = find(high, low);
    if (found < 0) return;
    const end = first[found + 1]!;
    for (let i = first[found]!; i < end; i++) scores[language[i]!]! += weight[i]!;
  };

  const addWord = (bytes: number): void => {
    const length = Math.min(bytes, LONGEST_WORD);
    const at = (i: number) => (i < length ? word[i]! : i === length ? SPACE : 0);
    if (length <= 4) {
      add((SPACE << 16) | (at(0) << 8) | at(1), (at(2) << 16) | (at(3) << 8) | at(4));
      return;
    }
    add((SPACE << 16) | (word[0]! << 8) | word[1]!, (word[2]! << 16) | (word[3]! << 8));
    for (let i = 3; i + 4 < length; i += 3)
      add((word[i]! << 16) | (word[i + 1]! << 8) | word[i + 2]!, word[i + 3]! << 16);
    const last = length - 4;
    add(
      (word[last]! << 16) | (word[last + 1]! << 8) | word[last + 2]!,
      (word[last + 3]! << 16) | (SPACE << 8),
    );
  };

  const read = (text: string): void => {
    let length = 0;
    let total = 0;
    /** Apostrophes belong to the word when a letter follows, or the end of the text. */
    let apostrophes = 0;
    for (let i = 0; i < text.length && total <= MOST_BYTES; i++) {
      const unit = text.charCodeAt(i);
      const kind = kinds[unit]!;
      if (kind === 0) {
        apostrophes = 0;
        if (length === 0) continue;
        addWord(length);
        length = 0;
        if (total > LAST_WORD) return;
        total++;
      } else if (kind === APOSTROPHE && i + 1 < text.length) apostrophes++;
      else {
        const start = length;
        for (; apostrophes > 0; apostrophes--) length = write(text.charCodeAt(i - apostrophes), length);
        length = write(unit, length);
        total += length - start;
      }
    }
    if (length > 0) addWord(length);
  };

  const write = (unit: number, at: number): number => {
    if (unit < 0x80) {
      word[at] = unit;
      return at + 1;
    }
    if (unit < 0x800) {
      word[at] = FIRST_OF_TWO[unit >> 6]!;
      word[at + 1] = 0x80 | (unit & 0x3f);
      return at + 2;
    }
    word[at] = 0xe0 | (unit >> 12);
    word[at + 1] = 0x80 | ((unit >> 6) & 0x3f);
    word[at + 2] = 0x80 | (unit & 0x3f);
    return at + 3;
  };

  return (text) => {
    round++;
    ngrams = 0;
    scores.fill(0);
    read(text.toLowerCase());
    let best = 0;
    let second = 0;
    let bestAt = -1;
    for (let i = 0; i < scores.length; i++) {
      const sum = scores[i]!;
      if (sum > best) {
        second = best;
        best = sum;
        bestAt = i;
      } else if (sum > second) second = sum;
    }
    if (bestAt < 0) return null;
    const scaled = (sum: number) => sum / (sum + SCALE * ngrams);
    return {
      language: languages[bestAt]!,
      score: scaled(best),
      second: scaled(second),
      usual: usual[bestAt]!,
      ngrams,
    };
  };
}

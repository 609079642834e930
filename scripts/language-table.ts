/**
 * Makes `models/language/ngrams.bin` from the n-grams of `eld` (size extrasmall): `node scripts/language-table.ts`. Its layout is
 * told in src/classify/language-table.ts.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

interface NgramsData {
  readonly languages: Readonly<Record<string, string>>;
  readonly ngrams: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** What `eld` subtracts from each weight to save digits. */
const LEAST = 53;
const NGRAM_BYTES = 6;

/** The table as a file. */
export async function languageTable(): Promise<Buffer> {
  const { ngramsData } = await internal<{ ngramsData: NgramsData }>('ngrams/extrasmall.js');
  const { avgScore } = await internal<{ avgScore: Readonly<Record<string, number>> }>('avgScore.js');
  const { dictionary } = await internal<{ dictionary: readonly string[] }>('dictionary.js');
  const { separators } = await internal<{ separators: RegExp }>('regexPatterns.js');
  const byteOf = new Map(dictionary.flatMap((letter, byte) => (letter === ' ' ? [] : [[letter, byte]])));
  byteOf.set(' ', 0x20);
  const languages = Object.values(ngramsData.languages);
  const ngrams = Object.entries(ngramsData.ngrams);
  const postings = ngrams.flatMap(([, weights]) => Object.entries(weights));

  const header = Buffer.alloc(28);
  header.write('SLUICELG', 'latin1');
  for (const [i, value] of [1, languages.length, ngrams.length, postings.length, LEAST].entries())
    header.writeUInt32LE(value, 8 + 4 * i);
  const letters = Buffer.alloc(0x10000 / 8);
  for (let unit = 0; unit < 0x10000; unit++) {
    // Apostrophes are no separators by themselves.
    if ("'`\u2019".includes(String.fromCharCode(unit))) continue;
    separators.lastIndex = 0;
    if (!separators.test(String.fromCharCode(unit))) letters[unit >> 3]! |= 1 << (unit & 7);
  }
  return Buffer.concat([
    header,
    letters,
    ...languages.map((language) => {
      const entry = Buffer.alloc(4);
      entry.write(language, 'latin1');
      entry.writeUInt16LE(Math.round(avgScore[language]! * 1000), 2);
      return entry;
    }),
    ...ngrams.map(([ngram, weights]) => {
      const bytes = Array.from(ngram, (letter) => byteOf.get(letter)!);
      const fill = Array.from<number>({ length: NGRAM_BYTES - bytes.length }).fill(0);
      return Buffer.from([...bytes, ...fill, Object.keys(weights).length]);
    }),
    Buffer.from(postings.flatMap(([language, weight]) => [Number(language), weight])),
  ]);
}

/** A part of `eld` that it does not export. */
async function internal<T>(path: string): Promise<T> {
  const entry = import.meta.resolve('eld/extrasmall');
  return (await import(new URL(`../${path}`, entry).href)) as T;
}

if (import.meta.main)
  writeFileSync(join(import.meta.dirname, '../models/language/ngrams.bin'), await languageTable());

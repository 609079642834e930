import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eld } from 'eld/extrasmall';
import * as fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { languageTable } from '../../scripts/language-table.ts';
import { createLanguageScores } from '../../src/classify/language-scores.ts';
import { readLanguageTable } from '../../src/classify/language-table.ts';
import { MisconfiguredError } from '../../src/errors.ts';

const FILE = join(import.meta.dirname, '../../models/language/ngrams.bin');
const table = readLanguageTable(FILE);
const scoreOf = createLanguageScores(table);

/** Words of many scripts, with what stands between words and in them. */
const WORDS =
  "don't ’tis l’homme `eh` não über straße ÉTÉ İSTANBUL ΟΔΟΣ ǹjẹ́ ọ̀pọ̀ кто-то Вы שלום سلام हिन्दी বাংলা አማርኛ 안녕 日本 ไทย x ab abc abcd abcde 123 -- ' 🙂 \ud800";
const text = fc
  .array(fc.oneof(fc.constantFrom(...WORDS.split(' ')), fc.string({ unit: 'binary', maxLength: 12 })), {
    maxLength: 20,
  })
  .map((words) => Array.from(words.join(' ')).filter(isSameInLowerCase).join(''));

/** eld looks for letters before it makes them small; that matters for a dot above, and for capitals that are newer than its table. */
function isSameInLowerCase(character: string): boolean {
  const isLetter = (each: string) => table.letters[each.codePointAt(0)!] === 1;
  return character !== '\u0307' && isLetter(character) === isLetter(character.toLowerCase());
}

function expectEqual(given: string): void {
  const theirs = eld.detect(given);
  const [best = 0, second = 0] = Object.values(theirs.getScores());
  const own = scoreOf(given);
  expect(own?.language ?? '').toBe(theirs.language);
  expect(own?.score ?? 0).toBeCloseTo(best, 12);
  expect(own?.second ?? 0).toBeCloseTo(second, 12);
}

describe('language scores', () => {
  it('are those of eld for any text', () => {
    fc.assert(fc.property(text, expectEqual), { numRuns: 1000 });
  });

  it.each([
    'Wir treffen uns morgen um acht Uhr vor dem Kino',
    'Não sei se amanhã vamos conseguir chegar a tempo',
    'Завтра мы встречаемся в восемь часов у кинотеатра',
    'ነገ ጠዋት ከሁለት ሰዓት በኋላ እንገናኛለን',
    'मौसम '.repeat(90),
    'a '.repeat(300),
  ])('are those of eld for "%s"', expectEqual);

  it('do not depend on what was scored before', () => {
    const first = scoreOf('the weather is fine today');
    scoreOf('das Wetter ist heute schön');
    expect(scoreOf('the weather is fine today')).toEqual(first);
  });
});

describe('table of languages', () => {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-'));
  afterAll(() => rmSync(directory, { recursive: true }));

  it('is what scripts/language-table.ts makes of eld', async () => {
    expect(readFileSync(FILE).equals(await languageTable())).toBe(true);
  });

  it.each([
    ['too short', (bytes: Buffer) => bytes.subarray(0, 1000), /ngrams.bin: expected 517607 bytes, got 1000/],
    ['another kind of file', () => Buffer.from('{}'), /expected a table of languages \(SLUICELG\)/],
    ['another layout', (bytes: Buffer) => changed(bytes, 8, 2), /expected layout 1 .* got 2/],
    ['damaged', (bytes: Buffer) => changed(bytes, bytes.length - 2, 60), /is the file damaged/],
  ])('is refused when it is %s', (_, change, message) => {
    const file = join(directory, 'ngrams.bin');
    writeFileSync(file, change(readFileSync(FILE)));
    expect(() => readLanguageTable(file)).toThrow(message);
    expect(() => readLanguageTable(file)).toThrow(MisconfiguredError);
  });

  it('is missed by name', () => {
    expect(() => readLanguageTable(join(directory, 'none.bin'))).toThrow(/none.bin: expected a table/);
  });
});

function changed(bytes: Buffer, at: number, value: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = value;
  return copy;
}

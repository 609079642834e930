import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hashOf, normalise } from '../../src/classify/normalise.ts';

describe('normalise', () => {
  it.each([
    ['  Hello\t\n World ', 'hello world'],
    ['ＦＵＬＬ　ｗｉｄｔｈ', 'full width'],
    ['z\u200be\u00adr\u2060o\ufeff w\u200did\u034fth', 'zero width'],
    ['e\u0301', 'é'],
    ['e\u200b\u0301', 'é'],
    ['ﬁne ① ℡', 'fine 1 tel'],
    ['ΟΔΟΣ', 'οδος'],
    ['İ', 'i̇'],
    ['👨‍👩‍👧 ❤️', '👨👩👧 ❤'],
    ['\u202eevil\u202c', 'evil'],
    ['a\u0085b\u2028c\u3000d', 'a b c d'],
    ['a\ud800b', 'a\ufffdb'],
    ['nul\u0000', 'nul\u0000'],
    ['한글', '한글'],
    ['\u200b \ufe0f', ''],
  ])('%j becomes %j', (text, expected) => {
    expect(normalise(text)).toBe(expected);
  });

  it('changes nothing the second time, and is the same for a text and its canonical forms', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: 'grapheme' }),
      fc.string({
        unit: fc.constantFrom(
          'a',
          'A',
          'ß',
          'İ',
          'Σ',
          ' ',
          '\u0301',
          '\u0345',
          '\u200b',
          'ﬃ',
          '\u1e9e',
          '\u0130',
          '\u03f4',
        ),
      }),
    );
    fc.assert(
      fc.property(text, (value) => {
        const once = normalise(value);
        expect(normalise(once)).toBe(once);
        expect(normalise(value.normalize('NFD'))).toBe(once);
        expect(normalise(` ${value}\u200b\n`)).toBe(once);
      }),
      { numRuns: 500 },
    );
  });
});

describe('hashOf', () => {
  it('is the SHA-256 of the normalised text in UTF-8', () => {
    const expected = createHash('sha256').update(Buffer.from('grüße', 'utf8')).digest('hex');
    expect(hashOf(' GRU\u0308ẞE')?.toString('hex')).toBe(expected);
  });

  it('has none for a text of which nothing is left', () => {
    for (const text of ['', ' ', '\u200b\n\u3000', '\ufeff']) expect(hashOf(text)).toBeNull();
  });
});

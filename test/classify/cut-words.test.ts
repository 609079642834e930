import * as fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { createTextCutter } from '../../src/classify/cut-words.ts';
import { loadTokenizer, type Tokenizer } from '../../src/classify/tokenizer.ts';
import { createWordPieces } from '../../src/classify/word-pieces.ts';

const FILE = join(import.meta.dirname, '../../models/default/tokenizer.json');
const bundled = JSON.parse(readFileSync(FILE, 'utf8')) as Record<string, unknown>;
const cut = (tokenizer: unknown, text: string): string[] => {
  const pieces: string[] = [];
  createTextCutter(tokenizer)(text, (start, end) => pieces.push(text.slice(start, end)));
  return pieces;
};
const normalizer = (...normalizers: object[]) => ({
  ...bundled,
  normalizer: { type: 'Sequence', normalizers },
});
const bert = { type: 'BertNormalizer', handle_chinese_chars: true, lowercase: true };

describe('cutting a text', () => {
  it('puts punctuation and ideographs apart, and leaves other words whole', () => {
    expect(cut(bundled, "hello, don't!!  今天。 café lol😂!")).toEqual([
      'hello',
      ',',
      'don',
      "'",
      't',
      '!',
      '!',
      '今',
      '天',
      '。',
      'café',
      'lol😂!',
    ]);
  });

  it('keeps a word whole that a pattern or an added token may span', () => {
    for (const word of ['@user!!', 'x[CLS]y', 'http://a.b/c,d', 'x＠y!', 'a：//b!', 'e\u0301!'])
      expect(cut(bundled, word), word).toEqual([word]);
  });

  it('keeps words whole where a normalizer joins what it would cut, or reaches further than can be told', () => {
    const joins = { type: 'Replace', pattern: { String: "'" }, content: '' };
    expect(cut(normalizer(joins, bert), "don't, stop!")).toEqual(["don't,", 'stop', '!']);
    const anything = { type: 'Replace', pattern: { Regex: '\\w+' }, content: 'x' };
    expect(cut(normalizer(anything, bert), 'stop! 今天')).toEqual(['stop!', '今天']);
    expect(cut({ ...bundled, pre_tokenizer: { type: 'Whitespace' } }, 'stop!!')).toEqual(['stop!!']);
    expect(cut(normalizer({ ...bert, handle_chinese_chars: false }), '今天!')).toEqual(['今天', '!']);
  });
});

describe('word pieces', () => {
  it('answers for ASCII letters only, and never where something might be done to them', () => {
    const pieces = createWordPieces(bundled);
    expect(pieces('hello')).toBeDefined();
    for (const word of ['h3llo', 'café', "don't", '今']) expect(pieces(word), word).toBeUndefined();
    const letter = { type: 'Replace', pattern: { String: 'l' }, content: '1' };
    expect(createWordPieces(normalizer(letter, bert))('hello')).toBeUndefined();
    const run = { type: 'Split', pattern: { Regex: '\\S{4}' }, behavior: 'Isolated' };
    const sequence = { type: 'Sequence', pretokenizers: [{ type: 'BertPreTokenizer' }, run] };
    const short = createWordPieces({ ...bundled, pre_tokenizer: sequence });
    expect([short('the') === undefined, short('hello') === undefined]).toEqual([false, true]);
  });
});

describe('a text in pieces', () => {
  let [pieces, whole]: (Tokenizer | undefined)[] = [];
  beforeAll(async () => {
    pieces = await loadTokenizer(FILE, { maxTokens: 64 });
    whole = await loadTokenizer(FILE, { maxTokens: 64, cache: false });
  });

  const part = fc.oneof(
    fc.stringMatching(/^[a-zA-Z]{1,12}$/),
    fc.constantFrom(
      ...Array.from('!?.,\'"[]@:/#<>=&-_~`'),
      '。',
      '，',
      '…',
      '’',
      '—',
      '！',
      '／',
      '：',
      '＠',
      '［',
    ),
    fc.constantFrom(
      '你',
      '好',
      '〇',
      '豈',
      'é',
      'ß',
      'İ',
      'K',
      'ﬁ',
      '½',
      '①',
      'ｱﾞ',
      'あ',
      '한',
      'ᄒ',
      'ำ',
      'ﷺ',
    ),
    fc.constantFrom(
      '\u0338',
      '\u0301',
      '\u093c',
      '\u200d',
      '\u00a0',
      '\u3000',
      '\ud800',
      '😂',
      '𠀀',
      '7',
      '٣',
    ),
    fc.constantFrom('[CLS]', '[SEP]', '@user', 'http://', 'https', '://', ' ', 'x'.repeat(70)),
    fc.string({ unit: 'binary', maxLength: 2 }),
  );

  it('has the ids of the whole text, whatever stands next to what', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(part, { maxLength: 20 }), { maxLength: 8 }), async (rows) => {
        const texts = rows.map((row) => row.join(''));
        const [found, expected] = [await pieces!.encode(texts), await whole!.encode(texts)];
        expect([...found.ids]).toEqual([...expected.ids]);
        expect([...found.ends]).toEqual([...expected.ends]);
      }),
      { numRuns: 400 },
    );
  });
});

import * as fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadTokenizer, type Tokenizer } from '../../src/classify/tokenizer.ts';
import { createWordCache, wordsAreIndependent } from '../../src/classify/word-cache.ts';
import { HOSTILE } from '../contract/classifier.ts';

const bundled = join(import.meta.dirname, '../../models/default/tokenizer.json');
const small = (kind: string) => join(import.meta.dirname, `fixtures/tokenizers/${kind}.json`);

describe.each([
  ['the bundled tokenizer', bundled, 128],
  ['the bundled tokenizer, cut short', bundled, 8],
  ['a WordPiece tokenizer', small('wordpiece'), 16],
])('word by word, %s', (_name, file, maxTokens) => {
  let [byWord, whole]: (Tokenizer | undefined)[] = [];
  beforeAll(async () => {
    byWord = await loadTokenizer(file, { maxTokens });
    whole = await loadTokenizer(file, { maxTokens, cache: false });
  });

  const word = fc.oneof(
    fc.constantFrom(
      'hello',
      'idiot!!',
      '@user',
      '@',
      'https://a.b/c',
      'http',
      '[CLS]',
      '[SEP]',
      '[PAD]x',
      "don't",
      'İ',
      'ΑΣ',
      '\u0301',
      '´',
      'ﷺ',
      '한국어',
      '你好',
      '\u00a0',
      '\t',
      '\u2003',
      '\u0000',
      '\ud83d',
      '👨‍👩‍👧',
      'e\u0301',
      '',
    ),
    fc.string({ unit: 'grapheme', maxLength: 8 }),
    fc.string({ unit: 'binary', maxLength: 8 }),
  );
  const texts = fc.array(
    fc.array(word, { maxLength: 14 }).map((words) => words.join(' ')),
    { maxLength: 6 },
  );

  it('gives the ids of the whole text, whatever the text', async () => {
    expect(wordsAreIndependent(JSON.parse(readFileSync(file, 'utf8')))).toBe(true);
    await fc.assert(
      fc.asyncProperty(texts, async (given) => {
        expect(await byWord!.encode(given)).toEqual(await whole!.encode(given));
      }),
      { numRuns: 300 },
    );
    expect(await byWord!.encode(HOSTILE)).toEqual(await whole!.encode(HOSTILE));
  });
});

describe('wordsAreIndependent', () => {
  const bert = {
    model: { type: 'WordPiece' },
    normalizer: { type: 'BertNormalizer' },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    added_tokens: [{ content: '[CLS]' }],
  };
  const replace = (Regex: string) => ({
    ...bert,
    normalizer: { type: 'Sequence', normalizers: [{ type: 'Replace', pattern: { Regex }, content: 'x' }] },
  });

  it.each([
    ['BERT', bert],
    ['no normalizer', { ...bert, normalizer: null }],
    ['mentions', replace('@\\w+')],
    ['links', replace('https?://\\S+')],
  ])('%s: yes', (_name, tokenizer) => {
    expect(wordsAreIndependent(tokenizer)).toBe(true);
  });

  it.each([
    ['a byte-level BPE', JSON.parse(readFileSync(small('bpe'), 'utf8'))],
    ['a Unigram with Metaspace', JSON.parse(readFileSync(small('unigram'), 'utf8'))],
    ['no pre-tokenizer', { ...bert, pre_tokenizer: null }],
    ['a normalizer of unknown reach', { ...bert, normalizer: { type: 'Precompiled' } }],
    ['an added token with a space', { ...bert, added_tokens: [{ content: 'two words' }] }],
    ['white space', replace('\\s+')],
    ['any character', replace('a.+b')],
    ['an anchor', replace('^a')],
    ['a negated class', replace('[^a]+')],
    ['a word boundary', replace('\\bfoo\\b')],
    ['a look-ahead', replace('a(?= b)')],
  ])('%s: no', (_name, tokenizer) => {
    expect(wordsAreIndependent(tokenizer)).toBe(false);
  });
});

describe('createWordCache', () => {
  const knownAfter = (capacity: number, used: readonly number[]) =>
    // Asking moves words between the generations, so each question gets a cache of its own.
    [...new Set(used)].filter((asked) => {
      const cache = createWordCache(capacity);
      for (const n of used) if (!cache.get(`${n}`)) cache.set(`${n}`, [n]);
      const ids = cache.get(`${asked}`);
      if (ids) expect(ids).toEqual([asked]);
      return ids !== undefined;
    });

  it('knows the last `capacity` words, and at most twice as many', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 8 }),
        fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 60 }),
        (capacity, used) => {
          const known = knownAfter(capacity, used);
          const recent = [...new Set(used.toReversed())].slice(0, capacity);
          for (const n of recent) expect(known).toContain(n);
          expect(known.length).toBeLessThanOrEqual(2 * capacity);
        },
      ),
    );
  });
});

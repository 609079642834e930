import { readFileSync } from 'node:fs';
import type { Tokenizer as NativeTokenizer } from 'tokenizers';
import { MisconfiguredError, messageOf } from '../errors.ts';
import { createTextCutter, type CutText } from './cut-words.ts';
import { createWordPieces, type WordPieces } from './word-pieces.ts';
import { createWordCache, wordsAreIndependent } from './word-cache.ts';

/**
 * Characters of a text that are looked at, per token that the model reads. Real text has 1 to 6 characters a token; the
 * bound keeps one huge message from holding up its worker.
 */
const CHARACTERS_PER_TOKEN = 64;
/** Words that a worker remembers (twice as many at most), and the longest one: about 10 MB. */
const CACHED_WORDS = 32_768;
const LONGEST_CACHED = 20;

/** Token ids of many texts, one after the other: those of text i are `ids[ends[i - 1] .. ends[i])`. */
export interface TokenisedTexts {
  readonly ids: Int32Array;
  readonly ends: Uint32Array;
  /** Number of tokens of each text, special tokens included. */
  readonly lengths: Uint32Array;
}

/** Turns texts into token ids. */
export interface Tokenizer {
  /** Ids of each text, cut off at the limit, not padded. Lone surrogates are read as U+FFFD. */
  readonly encode: (texts: readonly string[]) => Promise<TokenisedTexts>;
}

/**
 * Loads a Hugging Face `tokenizer.json`. Special tokens count towards `maxTokens`. Words are remembered where that gives
 * the same ids, unless `cache` is false. Throws MisconfiguredError when the file is damaged.
 */
export async function loadTokenizer(
  file: string,
  options: { readonly maxTokens: number; readonly cache?: boolean },
): Promise<Tokenizer> {
  // One thread per worker: the pool already has a worker per core. Read by the native library when it loads; in a
  // worker this assignment does not reach it, so the pool sets it on the main thread as well.
  process.env['RAYON_NUM_THREADS'] ??= '1';
  const { Tokenizer } = await import('tokenizers');
  const { maxTokens } = options;
  let native: NativeTokenizer;
  let pieces: Pieces | undefined;
  try {
    const text = readFileSync(file, 'utf8');
    native = Tokenizer.fromString(text);
    native.setTruncation(maxTokens);
    native.disablePadding();
    const parsed: unknown = JSON.parse(text);
    if (wordsAreIndependent(parsed))
      pieces = { cut: createTextCutter(parsed), wordPieces: createWordPieces(parsed) };
  } catch (error) {
    throw new MisconfiguredError(
      `${file}: expected a Hugging Face tokenizer, got ${messageOf(error).split('\n')[0]!}`,
    );
  }
  const characters = maxTokens * CHARACTERS_PER_TOKEN;
  const encode =
    pieces && options.cache !== false ? await encodeByPiece(native, pieces, maxTokens) : encodeWhole(native);
  return {
    encode: (texts) =>
      encode(texts.map((text) => (text.length > characters ? text.slice(0, characters) : text))),
  };
}

type Encode = (texts: string[]) => Promise<TokenisedTexts>;

function encodeWhole(native: NativeTokenizer): Encode {
  return async (texts) => concatenate((await native.encodeBatch(texts)).map((encoding) => encoding.getIds()));
}

/** How texts are tokenised piece by piece. */
interface Pieces {
  readonly cut: CutText;
  readonly wordPieces: WordPieces;
}

/** Pieces of words seen lately come from a map, all others of the batch go through the native tokenizer in one call. */
async function encodeByPiece(
  native: NativeTokenizer,
  { cut, wordPieces }: Pieces,
  maxTokens: number,
): Promise<Encode> {
  const { before, after } = await specialTokens(native);
  const cache = createWordCache(CACHED_WORDS);
  // Most pieces of Chinese, and most punctuation: found without making a string.
  const units = Array.from<readonly number[] | undefined>({ length: 1 << 16 });
  return async (texts) => {
    const fresh = new Map<string, readonly number[]>();
    const pieces: (readonly number[] | string)[] = [];
    const pieceEnds = new Uint32Array(texts.length);
    texts.forEach((text, row) => {
      cut(text, (start, end) => {
        const known = end - start === 1 ? units[text.charCodeAt(start)] : undefined;
        if (known !== undefined) {
          pieces.push(known);
          return;
        }
        const piece = text.slice(start, end);
        let ids = cache.get(piece);
        if (ids === undefined && (ids = wordPieces(piece)) !== undefined) cache.set(piece, ids);
        if (ids === undefined) fresh.set(piece, NONE);
        pieces.push(ids ?? piece);
      });
      pieceEnds[row] = pieces.length;
    });
    const words = [...fresh.keys()];
    const encodings = await native.encodeBatch(words, { addSpecialTokens: false });
    encodings.forEach((encoding, i) => {
      const word = words[i]!;
      const ids = encoding.getIds();
      fresh.set(word, ids);
      if (word.length === 1) units[word.charCodeAt(0)] = ids;
      else if (word.length <= LONGEST_CACHED) cache.set(word, ids);
    });
    const ids = new Int32Array(texts.length * maxTokens);
    const ends = new Uint32Array(texts.length);
    let end = 0;
    let at = 0;
    for (let row = 0; row < texts.length; row++) {
      const limit = end + maxTokens - after.length;
      for (const id of before) ids[end++] = id;
      for (; at < pieceEnds[row]! && end < limit; at++) {
        const piece = pieces[at]!;
        for (const id of typeof piece === 'string' ? fresh.get(piece)! : piece)
          if (end < limit) ids[end++] = id;
      }
      at = pieceEnds[row]!;
      for (const id of after) ids[end++] = id;
      ends[row] = end;
    }
    return { ids: ids.slice(0, end), ends, lengths: ends.map((last, row) => last - (ends[row - 1] ?? 0)) };
  };
}

const NONE: readonly number[] = [];

/** What the post-processor puts around every text. */
async function specialTokens(native: NativeTokenizer): Promise<{ before: number[]; after: number[] }> {
  const [bare, framed] = await Promise.all([
    native.encode('a', null, { addSpecialTokens: false }),
    native.encode('a', null, { addSpecialTokens: true }),
  ]);
  const mask = framed.getSpecialTokensMask();
  const ids = framed.getIds();
  const start = mask.indexOf(0);
  return { before: ids.slice(0, start), after: ids.slice(start + bare.getLength()) };
}

function concatenate(rows: readonly (readonly number[])[]): TokenisedTexts {
  const lengths = Uint32Array.from(rows, (row) => row.length);
  const ends = new Uint32Array(rows.length);
  let total = 0;
  for (let i = 0; i < rows.length; i++) ends[i] = total += rows[i]!.length;
  const ids = new Int32Array(total);
  for (let i = 0; i < rows.length; i++) ids.set(rows[i]!, ends[i]! - rows[i]!.length);
  return { ids, ends, lengths };
}

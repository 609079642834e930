import type { Tokenizer as NativeTokenizer } from 'tokenizers';
import { MisconfiguredError, messageOf } from '../errors.ts';

/**
 * Characters of a text that are looked at, per token that the model reads. Real text has 1 to 6 characters a token; the
 * bound keeps one huge message from holding up its worker.
 */
const CHARACTERS_PER_TOKEN = 64;

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
  encode(texts: readonly string[]): Promise<TokenisedTexts>;
}

/**
 * Loads a Hugging Face `tokenizer.json`. Special tokens count towards `maxTokens`. Throws MisconfiguredError when the
 * file is damaged.
 */
export async function loadTokenizer(
  file: string,
  options: { readonly maxTokens: number },
): Promise<Tokenizer> {
  // One thread per worker: the pool already has a worker per core. Read by the native library when it loads; in a
  // worker this assignment does not reach it, so the pool sets it on the main thread as well.
  process.env['RAYON_NUM_THREADS'] ??= '1';
  const { Tokenizer } = await import('tokenizers');
  let native: NativeTokenizer;
  try {
    native = Tokenizer.fromFile(file);
    native.setTruncation(options.maxTokens);
    native.disablePadding();
  } catch (error) {
    throw new MisconfiguredError(
      `${file}: expected a Hugging Face tokenizer, got ${messageOf(error).split('\n')[0]!}`,
    );
  }
  const characters = options.maxTokens * CHARACTERS_PER_TOKEN;
  return {
    async encode(texts) {
      const encodings = await native.encodeBatch(
        texts.map((text) => (text.length > characters ? text.slice(0, characters) : text)),
      );
      const lengths = new Uint32Array(texts.length);
      const ends = new Uint32Array(texts.length);
      let total = 0;
      for (let i = 0; i < encodings.length; i++) {
        lengths[i] = encodings[i]!.getLength();
        total += lengths[i]!;
        ends[i] = total;
      }
      const ids = new Int32Array(total);
      for (let i = 0; i < encodings.length; i++) ids.set(encodings[i]!.getIds(), ends[i]! - lengths[i]!);
      return { ids, ends, lengths };
    },
  };
}

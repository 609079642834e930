/** Token ids of words, the recently used ones: two generations, so that forgetting costs nothing per word. */
export interface WordCache {
  /** Ids of a word without special tokens, or undefined. */
  readonly get: (word: string) => readonly number[] | undefined;
  /** Remembers a word. */
  readonly set: (word: string, ids: readonly number[]) => void;
}

/** A cache of at least the last `capacity` and at most twice as many words. */
export function createWordCache(capacity: number): WordCache {
  let young = new Map<string, readonly number[]>();
  let old = new Map<string, readonly number[]>();
  const set = (word: string, ids: readonly number[]) => {
    if (young.size >= capacity) {
      old = young;
      young = new Map();
    }
    young.set(word, ids);
  };
  return {
    get(word) {
      const ids = young.get(word);
      if (ids !== undefined) return ids;
      const known = old.get(word);
      if (known !== undefined) set(word, known);
      return known;
    },
    set,
  };
}

interface Part {
  readonly type?: string;
  readonly [key: string]: unknown;
}

/** Normalizers that never look across a space. */
const LOCAL_NORMALIZERS = new Set([
  'BertNormalizer',
  'NFC',
  'NFD',
  'NFKC',
  'NFKD',
  'Lowercase',
  'StripAccents',
]);
/** Pre-tokenizers that cut at every space and drop it. */
const CUTS_AT_SPACE = new Set(['BertPreTokenizer', 'Whitespace', 'WhitespaceSplit']);

/**
 * Whether the words of a text can be tokenised one by one: ids of a text = ids of its words between spaces, joined. True
 * for WordPiece behind a pre-tokenizer that cuts at spaces, when no normalizer and no added token can see across one;
 * false when that cannot be told. Takes a parsed `tokenizer.json`. Pure.
 */
export function wordsAreIndependent(tokenizer: unknown): boolean {
  const {
    model,
    normalizer,
    pre_tokenizer: preTokenizer,
    added_tokens: added,
  } = tokenizer as Record<string, unknown>;
  const first = partsOf(preTokenizer, 'pretokenizers')[0];
  return (
    (model as Part | undefined)?.type === 'WordPiece' &&
    first?.type !== undefined &&
    CUTS_AT_SPACE.has(first.type) &&
    partsOf(normalizer, 'normalizers').every(isLocal) &&
    ((added ?? []) as { content?: string }[]).every(
      ({ content }) => content !== undefined && !/\s/.test(content),
    )
  );
}

function partsOf(part: unknown, members: string): Part[] {
  if (part === null || part === undefined) return [];
  const { type, [members]: parts } = part as Part;
  return type === 'Sequence'
    ? (parts as Part[]).flatMap((member) => partsOf(member, members))
    : [part as Part];
}

function isLocal(normalizer: Part): boolean {
  if (normalizer.type === 'Replace')
    return isLocalPattern(normalizer['pattern'] as { String?: string; Regex?: string });
  return normalizer.type !== undefined && LOCAL_NORMALIZERS.has(normalizer.type);
}

/** Only patterns of plain characters, `\w`, `\d`, `\S` and simple classes; anchors, groups and dots may reach further. */
function isLocalPattern({ String: text, Regex: regex }: { String?: string; Regex?: string }): boolean {
  if (text !== undefined) return text.length > 0 && !/\s/.test(text);
  return (
    regex !== undefined &&
    /^(?:[\w@#:/-]|\\[wdS.]|\[[\w@#:/-]+\])(?:(?:[\w@#:/-]|\\[wdS.]|\[[\w@#:/-]+\])|[+?])*$/.test(regex)
  );
}

/** Token ids of a word, or undefined where only the tokenizer itself can tell. */
export type WordPieces = (word: string) => readonly number[] | undefined;

interface Part {
  readonly type?: string;
  readonly [key: string]: unknown;
}

/** What the WordPiece model of a `tokenizer.json` says. */
interface WordPieceModel {
  readonly vocab: Readonly<Record<string, number>>;
  readonly unk_token: string;
  readonly continuing_subword_prefix: string;
  readonly max_input_chars_per_word: number;
}

/** Parts that leave words of ASCII letters as they are, but for their case. */
const LEAVES_LETTERS = new Set(['NFC', 'NFD', 'NFKC', 'NFKD', 'StripAccents', 'Lowercase', 'BertNormalizer']);
const KEEPS_WORDS = new Set(['BertPreTokenizer', 'Whitespace', 'WhitespaceSplit', 'Punctuation', 'Digits']);
const MOST_LETTERS = 64;

/**
 * Token ids of words of ASCII letters by WordPiece, longest match first, without asking the native tokenizer: at a tenth of the
 * time, since there is nothing to normalize but the case. Never an answer where a normalizer or a pre-tokenizer might do
 * more with such a word. Takes a parsed `tokenizer.json`. Pure.
 */
export function createWordPieces(tokenizer: unknown): WordPieces {
  const { model, normalizer, pre_tokenizer: preTokenizer } = tokenizer as Record<string, unknown>;
  const normalizers = partsOf(normalizer, 'normalizers');
  const longest = Math.min(...partsOf(preTokenizer, 'pretokenizers').map(longestKept), MOST_LETTERS);
  const isWordPiece = (model as Part | undefined)?.type === 'WordPiece';
  if (!isWordPiece || longest <= 0 || !normalizers.every(leavesLetters)) return () => undefined;
  const lowers = normalizers.some((part) => part.type === 'Lowercase' || part['lowercase'] === true);
  const { vocab, ...rules } = model as WordPieceModel;
  const prefix = rules.continuing_subword_prefix;
  const firsts = new Map<string, number>();
  const others = new Map<string, number>();
  for (const [piece, id] of Object.entries(vocab)) {
    if (/^[A-Za-z]+$/.test(piece)) firsts.set(piece, id);
    if (piece.startsWith(prefix) && /^[A-Za-z]+$/.test(piece.slice(prefix.length)))
      others.set(piece.slice(prefix.length), id);
  }
  const unknown = [vocab[rules.unk_token]!];

  return (word) => {
    if (word.length > longest || !isLetters(word)) return undefined;
    if (word.length > rules.max_input_chars_per_word) return unknown;
    const text = lowers ? word.toLowerCase() : word;
    const ids: number[] = [];
    for (let start = 0; start < text.length;) {
      const pieces = start === 0 ? firsts : others;
      let end = text.length;
      let id: number | undefined;
      for (; end > start; end--) if ((id = pieces.get(text.slice(start, end))) !== undefined) break;
      if (id === undefined) return unknown;
      ids.push(id);
      start = end;
    }
    return ids;
  };
}

function isLetters(word: string): boolean {
  for (let at = 0; at < word.length; at++) {
    const lower = word.charCodeAt(at) | 0x20;
    if (lower < 0x61 || lower > 0x7a) return false;
  }
  return true;
}

/** Whether a normalizer does nothing but perhaps lower the case of ASCII letters. */
function leavesLetters(part: Part): boolean {
  if (part.type !== 'Replace') return part.type !== undefined && LEAVES_LETTERS.has(part.type);
  const { String: text, Regex: regex } = part['pattern'] as { String?: string; Regex?: string };
  if (text !== undefined) return /[^A-Za-z]/.test(text);
  // It needs a digit, or a mark outside of any class that no quantifier lets it do without.
  const plain = regex!.replaceAll(/\[[^\]]*\]/g, ' ');
  return /\\d(?!\?)/.test(plain) || /[@#:/-](?!\?)/.test(plain);
}

/** Letters of the longest word that a pre-tokenizer surely keeps whole. */
function longestKept(part: Part): number {
  if (part.type !== undefined && KEEPS_WORDS.has(part.type)) return MOST_LETTERS;
  if (part.type !== 'Split') return 0;
  const { Regex: regex } = part['pattern'] as { Regex?: string };
  if (regex === undefined || part['invert'] === true) return 0;
  if (/^\[(?:\\p\{S[a-z]\})+\]$/.test(regex)) return MOST_LETTERS;
  const run = /^\\S\{(\d+)\}$/.exec(regex);
  return run ? Number(run[1]) - 1 : 0;
}

function partsOf(part: unknown, members: string): Part[] {
  if (part === null || part === undefined) return [];
  const { type, [members]: parts } = part as Part;
  return type === 'Sequence'
    ? (parts as Part[]).flatMap((member) => partsOf(member, members))
    : [part as Part];
}

/** What a UTF-16 unit means for cutting. */
const OPAQUE = 0;
const IN_PIECE = 1;
const STANDS_ALONE = 2;

/**
 * Cuts a text into pieces whose token ids, one after the other, are those of the text: calls `piece` with the start and end
 * of each, never for spaces.
 */
export type CutText = (text: string, piece: (start: number, end: number) => void) => void;

interface Part {
  readonly type?: string;
  readonly [key: string]: unknown;
}

/** Punctuation that every version of Unicode calls that, and that no normalization makes part of a word. */
const PUNCTUATION = '。，、！？；（）《》〈〉「」『』【】…—–“”‘’·،؛؟।';
const IDEOGRAPHS: readonly (readonly [number, number])[] = [
  [0x3400, 0x4dbf],
  [0x4e00, 0x9fff],
];

/**
 * How texts can be cut for a tokenizer whose words between spaces are independent (`wordsAreIndependent`). Behind a
 * BertPreTokenizer, which puts punctuation apart, and ideographs as well where its normalizer says so, words are cut there
 * too: what people write has few distinct pieces, but many distinct words (`no!!!`, and whole sentences in Chinese).
 * A word stays whole when it has a character that a normalizer might join with its neighbours, or when part of it might
 * belong to a pattern or an added token. Takes a parsed `tokenizer.json`. Pure.
 */
export function createTextCutter(tokenizer: unknown): CutText {
  const { kinds, reserved } = kindsFor(tokenizer as Part);
  const mayBegin = new Set(reserved.map((text) => text.charCodeAt(0)));

  return (text, piece) => {
    let from = 0;
    while (from < text.length) {
      const space = text.indexOf(' ', from);
      const end = space < 0 ? text.length : space;
      if (end > from && !cutWord(text, from, end, piece)) piece(from, end);
      from = end + 1;
    }
  };

  function cutWord(text: string, from: number, end: number, piece: (start: number, end: number) => void) {
    // All of it is looked at first: one opaque unit anywhere keeps the word whole.
    let alone = 0;
    for (let at = from; at < end; at++) {
      const unit = text.charCodeAt(at);
      const kind = kinds[unit]!;
      if (kind === OPAQUE) return false;
      if (kind === STANDS_ALONE) {
        alone++;
        if (mayBegin.has(unit) && reserved.some((each) => text.startsWith(each, at))) return false;
      }
    }
    if (alone === 0) return false;
    let start = from;
    for (let at = from; at < end; at++) {
      if (kinds[text.charCodeAt(at)] !== STANDS_ALONE) continue;
      if (at > start) piece(start, at);
      piece(at, at + 1);
      start = at + 1;
    }
    if (end > start) piece(start, end);
    return true;
  }
}

/** The kind of each unit, and the texts that keep a word whole; nothing stands alone where that cannot be told. */
function kindsFor({ normalizer, pre_tokenizer: preTokenizer, added_tokens: added }: Part): {
  kinds: Uint8Array;
  reserved: readonly string[];
} {
  const kinds = new Uint8Array(1 << 16);
  const normalizers = partsOf(normalizer, 'normalizers');
  const replaced = normalizers.filter(({ type }) => type === 'Replace').map(reachOf);
  const reserved = [
    ...((added ?? []) as { content: string }[]).map(({ content }) => content),
    ...replaced.flatMap(({ needs }) => needs ?? []),
  ];
  const isBert = partsOf(preTokenizer, 'pretokenizers')[0]?.type === 'BertPreTokenizer';
  // Reserved texts are looked for only where something stands alone, and characters that become part of one are opaque.
  const canTell =
    isBert &&
    replaced.every(({ needs }) => needs !== undefined) &&
    reserved.every((text) => /^[\x21-\x7e]+$/.test(text) && isPunctuation(text.charCodeAt(0)));
  if (!canTell) return { kinds, reserved: [] };
  const special = new Set(reserved.join(''));
  const spoiled = new Set(
    replaced.flatMap(({ character, content }) =>
      character !== undefined &&
      !(isAllPunctuation(content) && !Array.from(content).some((each) => special.has(each)))
        ? [character]
        : [],
    ),
  );
  for (let unit = 0x21; unit < 1 << 16; unit++) {
    const character = String.fromCharCode(unit);
    const becomes = unit < 0x7f ? [character] : [character, ...Array.from(character.normalize('NFKD'))];
    const isApart = isPunctuation(unit) || PUNCTUATION.includes(character);
    if (unit >= 0x7f && becomes.some((each) => special.has(each))) continue;
    if (isApart) kinds[unit] = becomes.some((each) => spoiled.has(each)) ? OPAQUE : STANDS_ALONE;
    else if (/[\p{L}\p{N}]/u.test(character)) kinds[unit] = IN_PIECE;
  }
  const isolates = normalizers.some((part) => part.type === 'BertNormalizer' && part['handle_chinese_chars']);
  if (isolates) for (const [first, last] of IDEOGRAPHS) kinds.fill(STANDS_ALONE, first, last + 1);
  return { kinds, reserved };
}

/** What a Replace can reach: texts without which it does nothing; undefined when that cannot be told. */
function reachOf(part: Part): { needs: string[] | undefined; character?: string; content: string } {
  const { String: text, Regex: regex } = part['pattern'] as { String?: string; Regex?: string };
  const content = String(part['content']);
  // One character for itself, and runs of digits, are within a piece wherever they are.
  if (text !== undefined)
    return Array.from(text).length === 1
      ? { needs: [], character: text, content }
      : { needs: [text], content };
  if (/^(?:\\d[+?]?)+$/.test(regex!)) return { needs: [], content };
  const needed = /[@#:/-]+(?![@#:/?-])/.exec(regex!.replaceAll(/\[[^\]]*\]/g, ' '))?.[0];
  return { needs: needed === undefined ? undefined : [needed], content };
}

function isAllPunctuation(text: string): boolean {
  return text !== '' && Array.from(text).every((each) => isPunctuation(each.charCodeAt(0)));
}

/** ASCII punctuation and symbols. */
function isPunctuation(unit: number): boolean {
  return unit > 0x20 && unit < 0x7f && !/[A-Za-z0-9]/.test(String.fromCharCode(unit));
}

function partsOf(part: unknown, members: string): Part[] {
  if (part === null || part === undefined) return [];
  const { type, [members]: parts } = part as Part;
  return type === 'Sequence'
    ? (parts as Part[]).flatMap((member) => partsOf(member, members))
    : [part as Part];
}

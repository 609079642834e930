/**
 * Writing systems that one language all but owns, as [first, last, language] ranges of UTF-16 code units in growing
 * order. Scripts that several big languages share (Latin, Cyrillic, Arabic, Devanagari, Bengali, Ethiopic, Hebrew) are
 * left to the detector.
 */
const RANGES: readonly (readonly [first: number, last: number, language: string])[] = [
  [0x0370, 0x03ff, 'el'],
  [0x0530, 0x058f, 'hy'],
  [0x0a00, 0x0a7f, 'pa'],
  [0x0a80, 0x0aff, 'gu'],
  [0x0b00, 0x0b7f, 'or'],
  [0x0b80, 0x0bff, 'ta'],
  [0x0c00, 0x0c7f, 'te'],
  [0x0c80, 0x0cff, 'kn'],
  [0x0d00, 0x0d7f, 'ml'],
  [0x0d80, 0x0dff, 'si'],
  [0x0e00, 0x0e7f, 'th'],
  [0x0e80, 0x0eff, 'lo'],
  [0x1000, 0x109f, 'my'],
  [0x10a0, 0x10ff, 'ka'],
  [0x1100, 0x11ff, 'ko'],
  [0x1780, 0x17ff, 'km'],
  [0x3040, 0x30ff, 'ja'],
  [0x3130, 0x318f, 'ko'],
  [0x3400, 0x9fff, 'zh'],
  [0xac00, 0xd7a3, 'ko'],
];

const LANGUAGES = [...new Set(RANGES.map(([, , language]) => language))];
const JAPANESE = LANGUAGES.indexOf('ja');
const CHINESE = LANGUAGES.indexOf('zh');

/** Code unit → 1 + index into LANGUAGES, 0 for every other unit; the look-up is one load per character. */
const OWNER = new Uint8Array(0x10000);
for (const [first, last, language] of RANGES) OWNER.fill(1 + LANGUAGES.indexOf(language), first, last + 1);

/** What a text's characters say: letters in all, and the language that its script names, if one does. */
export interface ScriptReading {
  /** ISO 639-1 code of the language whose script more than half of the letters use, else null. */
  readonly language: string | null;
  /** Letters counted: A-Z and everything from U+00C0 on that is no punctuation, symbol or half of a pair. */
  readonly letters: number;
}

const counts = new Uint32Array(LANGUAGES.length);

/**
 * Reads the first `limit` UTF-16 units of a text. Kana beside Han is Japanese; Han alone is Chinese. A script decides
 * when more than half of the letters are its own, so a Thai post with an English brand name stays Thai.
 */
export function readScript(text: string, limit: number): ScriptReading {
  counts.fill(0);
  let letters = 0;
  let owned = 0;
  const end = Math.min(text.length, limit);
  for (let i = 0; i < end; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0xc0) {
      const lower = unit | 0x20;
      if (lower >= 0x61 && lower <= 0x7a) letters++;
      continue;
    }
    const owner = OWNER[unit]!;
    if (owner > 0) {
      counts[owner - 1]!++;
      owned++;
      letters++;
    } else if (unit < 0x2000 || (unit >= 0x2c00 && unit < 0x2e00) || (unit >= 0xa000 && unit < 0xd800)) {
      letters++;
    }
  }
  if (owned * 2 <= letters) return { language: null, letters };
  // One kana in ten is enough: Japanese writes its nouns in Han, Chinese never uses kana.
  if (counts[JAPANESE]! * 10 >= owned && counts[CHINESE]! > 0) return { language: 'ja', letters };
  let best = 0;
  for (let i = 1; i < counts.length; i++) if (counts[i]! > counts[best]!) best = i;
  return { language: counts[best]! * 2 > letters ? LANGUAGES[best]! : null, letters };
}

import { africa } from './africa.ts';
import { eastAsia } from './east_asia.ts';
import { english, lookAlikes } from './english.ts';
import { germanic } from './germanic.ts';
import { harm } from './harm.ts';
import { middleEast } from './middle_east.ts';
import { at } from './random.ts';
import type { Random } from './random.ts';
import { romance } from './romance.ts';
import { slavic } from './slavic.ts';
import { southAsia } from './south_asia.ts';

/** A sentence with slots: `parts[0] slots[0] parts[1] slots[1] … parts[n]`. */
export interface Template {
  readonly parts: readonly string[];
  readonly slots: readonly (readonly string[])[];
  /** About how many words a filled sentence has. */
  readonly words: number;
}

/** The compiled phrases of one language. */
export interface Bank {
  readonly language: string;
  /** What stands between two sentences: a space, except in Chinese and Japanese. */
  readonly space: string;
  readonly topics: readonly (readonly Template[])[];
  readonly greetings: readonly Template[];
  /** Words before a first sentence. */
  readonly leads: readonly Template[];
  readonly questions: readonly Template[];
  readonly endings: readonly Template[];
  readonly shorts: readonly Template[];
  readonly tags: readonly string[];
}

/** Kinds of harmful text. */
export type Harm = 'toxic' | 'hate' | 'spam';

const topicNames = ['food', 'film', 'sport', 'weather', 'work', 'home', 'travel'];
const numbers = ['5', '6', '7', '8', '9'];
const hosts = ['win-now', 'get.prize', 'fast-cash', 'best-offer', 'club-night', 'free-gift'];
const links = Array.from({ length: 360 }, (_, index) => {
  const host = at(hosts, index % hosts.length);
  return `http://${host}.example/${((index * 48271 + 11) % 46656).toString(36)}`;
});

/** Characters per word in scripts that are written without spaces. */
const charactersPerWord: Record<string, number> = { zh: 1.7, ja: 2.2, th: 4.5 };

function compile(language: string, phrase: string, slots: ReadonlyMap<string, readonly string[]>): Template {
  const pieces = phrase.split(/\{(\w+)\}/);
  const parts = pieces.filter((_, index) => index % 2 === 0);
  const fillers = pieces
    .filter((_, index) => index % 2 === 1)
    .map((name) => {
      const values = slots.get(name);
      if (values === undefined) throw new Error(`${language}: slot {${name}} has no values: ${phrase}`);
      return values;
    });
  const plain = parts.map((part, index) => part + (fillers[index]?.[0] ?? '')).join('');
  const perWord = charactersPerWord[language];
  const words = perWord === undefined ? plain.split(/\s+/).length : Math.ceil(plain.length / perWord);
  return { parts, slots: fillers, words };
}

function parse(language: string, source: string): Map<string, Template[]> {
  const raw = new Map<string, string[]>();
  const slots = new Map<string, readonly string[]>([
    ['n', numbers],
    ['url', links],
  ]);
  for (const line of source.split('\n')) {
    const colon = line.indexOf(': ');
    if (colon < 0) continue;
    const key = line.slice(0, colon);
    const phrases = line.slice(colon + 2).split('|');
    const list = phrases.map((phrase) => phrase.trim()).filter((phrase) => phrase !== '');
    if (key.startsWith('{')) slots.set(key.slice(1, -1), list);
    else raw.set(key, [...(raw.get(key) ?? []), ...list]);
  }
  const compiled = new Map<string, Template[]>();
  for (const [key, list] of raw) {
    compiled.set(
      key,
      list.map((phrase) => compile(language, phrase, slots)),
    );
  }
  return compiled;
}

function toBank(language: string, source: string): Bank {
  const templates = parse(language, source);
  const get = (key: string): Template[] => templates.get(key) ?? [];
  return {
    language,
    space: language === 'zh' || language === 'ja' ? '' : ' ',
    topics: topicNames.map(get).filter((topic) => topic.length > 0),
    greetings: get('hi'),
    leads: get('lead'),
    questions: get('ask'),
    endings: get('end'),
    shorts: get('short'),
    tags: get('tag').map((template) => at(template.parts, 0)),
  };
}

const sources = {
  ...english,
  ...romance,
  ...germanic,
  ...slavic,
  ...middleEast,
  ...southAsia,
  ...eastAsia,
  ...africa,
};

/** Phrase banks by language: ISO 639-1 codes, and `hi-Latn` and `ur-Latn` for Hindi and Urdu in Latin letters. */
export const banks: ReadonlyMap<string, Bank> = new Map(
  Object.entries(sources).map(([language, source]) => [language, toBank(language, source)]),
);

/** The phrase bank of a language that there is. */
export function bankOf(language: string): Bank {
  const bank = banks.get(language);
  if (bank === undefined) throw new RangeError(`no phrases for ${language}`);
  return bank;
}

/** Harmful sentences by language and kind. */
export const harmful: ReadonlyMap<string, ReadonlyMap<string, readonly Template[]>> = new Map(
  Object.entries(harm).map(([language, source]) => [language, parse(language, source)]),
);

/** English sentences that only look harmful. */
export const harmless: readonly string[] = lookAlikes;

/** Fills a sentence's slots; a sentence that starts with a slot starts with a capital letter. */
export function fill(template: Template, random: Random): string {
  const { parts, slots } = template;
  let text = at(parts, 0);
  for (let index = 0; index < slots.length; index++) {
    const value = random.pick(at(slots, index));
    text +=
      text === '' && value.charCodeAt(0) < 0x590 ? value.charAt(0).toUpperCase() + value.slice(1) : value;
    text += at(parts, index + 1);
  }
  return text;
}

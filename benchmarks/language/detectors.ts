import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type * as Eld from 'eld';
import { loadLanguageDetector } from '../../src/classify/language.ts';

/** What a library says of a text: ISO 639-1 code or null, and how sure it is, more for surer. */
export interface Guess {
  readonly language: string | null;
  readonly confidence: number;
  /** Whether the library itself would stand by the answer, where it has a rule for that. */
  readonly isReliable: boolean;
  /** Whether it is certain enough to keep the text from models that do not judge that language. */
  readonly isCertain?: boolean;
}

/** A library that finds the language of a text. */
export interface Detector {
  readonly name: string;
  readonly detect: (text: string) => Guess;
}

interface FastText {
  predict: (
    text: string,
    count: number,
    threshold: number,
  ) => { size: () => number; get: (at: number) => [probability: number, label: string] };
}

const NONE: Guess = { language: null, confidence: 0, isReliable: false };

/** Name → loads it; `modules` is a folder whose node_modules has the libraries that Sluice does not depend on. */
export const DETECTORS: Readonly<Record<string, (modules: string) => Promise<Detector['detect']>>> = {
  sluice: () => {
    const { detect } = loadLanguageDetector();
    return Promise.resolve((text) => {
      const found = detect(text);
      return found ? { ...found, confidence: found.isCertain ? 1 : 0.5, isReliable: true } : NONE;
    });
  },
  'eld extrasmall': () => eld('eld/extrasmall'),
  'eld small': () => eld('eld/small'),
  'eld large': () => eld('eld/large'),
  tinyld: async (modules) => {
    const { detectAll } = (await load(modules, 'tinyld')) as {
      detectAll: (text: string) => { lang: string; accuracy: number }[];
    };
    return (text) => {
      const [best] = detectAll(text);
      return best ? { language: best.lang, confidence: best.accuracy, isReliable: true } : NONE;
    };
  },
  franc: async (modules) => {
    const { francAll } = (await load(modules, 'franc')) as {
      francAll: (text: string) => [string, number][];
    };
    return (text) => {
      const [best, second] = francAll(text);
      if (!best || best[0] === 'und') return NONE;
      return { language: fromThree(best[0]), confidence: 1 - (second?.[1] ?? 0), isReliable: true };
    };
  },
  cld3: async (modules) => {
    const { loadModule } = (await load(modules, 'cld3-asm')) as {
      loadModule: () => Promise<{
        create: (
          least: number,
          most: number,
        ) => {
          findLanguage: (text: string) => { language: string; probability: number; is_reliable: boolean };
        };
      }>;
    };
    const identifier = (await loadModule()).create(0, 1000);
    return (text) => {
      const { language, probability, is_reliable: isReliable } = identifier.findLanguage(text);
      return language === 'und'
        ? NONE
        : { language: language.split('-')[0]!.replace('iw', 'he'), confidence: probability, isReliable };
    };
  },
  cld2: async (modules) => {
    // The addon itself: its wrapper answers on another thread only.
    const native = createRequire(join(modules, 'node_modules/cld/'))('./build/Release/cld.node') as {
      detect: (
        text: string,
        ...flags: unknown[]
      ) => { reliable: boolean; languages: { code: string; percent: number; score: number }[] };
    };
    return (text) => {
      const { reliable, languages } = native.detect(text, false, '', 0, '');
      const [best] = languages;
      return best
        ? { language: best.code.split('-')[0]!, confidence: best.percent, isReliable: reliable }
        : NONE;
    };
  },
  fasttext: async (modules) => {
    const { getLIDModel } = (await load(modules, 'fasttext.wasm.js')) as {
      getLIDModel: () => Promise<{ load: () => Promise<FastText> }>;
    };
    const model = await (await getLIDModel()).load();
    return (text) => {
      const found = model.predict(text.replaceAll('\n', ' '), 1, 0);
      if (found.size() === 0) return NONE;
      const [probability, label] = found.get(0);
      return {
        language: fromThree(label.slice('__label__'.length)),
        confidence: probability,
        isReliable: probability >= 0.5,
      };
    };
  },
  lande: async (modules) => {
    const { default: lande } = (await load(modules, 'lande')) as {
      default: (text: string) => [string, number][];
    };
    return (text) => {
      const [best] = lande(text);
      return best ? { language: fromThree(best[0]), confidence: best[1], isReliable: true } : NONE;
    };
  },
};

async function eld(entry: string): Promise<Detector['detect']> {
  const { eld: detector } = (await import(entry)) as typeof Eld;
  return (text) => {
    const found = detector.detect(text);
    if (found.language === '') return NONE;
    const best = found.getScores()[found.language] ?? 0;
    return { language: found.language, confidence: best, isReliable: found.isReliable() };
  };
}

async function load(modules: string, name: string): Promise<unknown> {
  const file = createRequire(join(modules, 'package.json')).resolve(name);
  return (await import(pathToFileURL(file).href)) as unknown;
}

/** ISO 639-3 codes of the languages measured and of those that they are mistaken for. */
const THREE: Readonly<Record<string, string>> = {
  amh: 'am',
  arb: 'ar',
  ara: 'ar',
  ary: 'ar',
  arq: 'ar',
  arz: 'ar',
  cmn: 'zh',
  zho: 'zh',
  deu: 'de',
  eng: 'en',
  fra: 'fr',
  hau: 'ha',
  ibo: 'ig',
  kan: 'kn',
  kin: 'rw',
  kor: 'ko',
  mal: 'ml',
  nld: 'nl',
  pcm: 'pcm',
  por: 'pt',
  spa: 'es',
  swa: 'sw',
  swh: 'sw',
  tam: 'ta',
  tha: 'th',
  tso: 'ts',
  twi: 'tw',
  yor: 'yo',
  jpn: 'ja',
  pes: 'fa',
  urd: 'ur',
};

function fromThree(code: string): string {
  return THREE[code] ?? code;
}

import { readScript } from './script.ts';

/** Only the start of a text is read: more costs time and hardly changes the answer (docs/decisions/003). */
const LONGEST = 160;
/** With fewer letters a shared script says too little: wrong answers grow to one in seven. */
const FEWEST_LETTERS = 16;

/** Finds the language of a text. */
export interface LanguageDetector {
  /**
   * The text's language as a BCP 47 tag (ISO 639-1 codes), or null when it is too short or not told apart reliably.
   * Never throws; malformed strings (lone surrogates) are read as they are.
   */
  readonly detect: (text: string) => string | null;
}

/**
 * Loads the detector: about 0.2 s and 30 MB of heap, so only when the first message without a language comes.
 * Scripts that one language owns are decided by {@link readScript}, the rest by the n-gram tables of `eld`.
 */
export async function loadLanguageDetector(): Promise<LanguageDetector> {
  const { eld } = await import('eld/extrasmall');
  return {
    detect(text) {
      const { language, letters } = readScript(text, LONGEST);
      if (language !== null) return language;
      if (letters < FEWEST_LETTERS) return null;
      const found = eld.detect(text.length > LONGEST ? text.slice(0, LONGEST) : text);
      return found.language !== '' && found.isReliable() ? found.language : null;
    },
  };
}

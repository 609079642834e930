import { join } from 'node:path';
import { createLanguageScores } from './language-scores.ts';
import { readLanguageTable } from './language-table.ts';
import { readScript } from './script.ts';

/** What each n-gram of letters says; models/language/README.md tells where it is from. */
const TABLE = join(import.meta.dirname, '../../models/language/ngrams.bin');

/** Only the start of a text is read: more costs time and hardly changes the answer (docs/decisions/016). */
const LONGEST = 120;
/** What is cut away may have hidden words behind it. */
const LONGEST_WITH_NOISE = 4 * LONGEST;
/** Links, names, tags, HTML entities, placeholders: they are in no language, or in another one. */
const NOISE = /https?:\/\/\S+|www\.\S+|[@#][\p{L}\p{N}_]+|&\w+;|\bRT\b|<\w+>/gu;

/**
 * What an answer in a shared script takes: letters, a share of the language's usual score, and a lead on the second best
 * language, a part of it divided by the number of letters.
 */
const ANSWER = { letters: 8, ratio: 0.86, lead: 0, leadByLetters: 0.3 };
/** The same for an answer that may take a text out of judgement; see {@link DetectedLanguage.isCertain}. */
const CERTAIN = { letters: 10, ratio: 0.9, lead: 0.02, leadByLetters: 1 };

/** Fewer say nothing, however well they fit. */
const LEAST_NGRAMS = 3;

/** What a text's language was found to be. */
export interface DetectedLanguage {
  /** BCP 47 tag, as ISO 639-1 code. */
  readonly language: string;
  /**
   * Whether it may be said on the strength of it that no model judges the text: of texts in languages that a model does
   * judge, 0.2 % are given another one with certainty (docs/decisions/016).
   */
  readonly isCertain: boolean;
}

/** Finds the language of a text. */
export interface LanguageDetector {
  /**
   * The text's language, or null when it is too short or not told apart reliably. Never throws; malformed strings (lone
   * surrogates) are read as they are.
   */
  readonly detect: (text: string) => DetectedLanguage | null;
}

/**
 * Loads the detector: some 30 ms and 2 MB. Scripts that one language owns are decided by {@link readScript}, the rest by n-grams.
 * Throws MisconfiguredError when their table cannot be read.
 */
export function loadLanguageDetector(): LanguageDetector {
  const scoreOf = createLanguageScores(readLanguageTable(TABLE));
  return {
    detect(text) {
      const words = text.slice(0, LONGEST_WITH_NOISE).replace(NOISE, ' ').slice(0, LONGEST);
      const { language, letters } = readScript(words, LONGEST);
      if (language !== null) return { language, isCertain: true };
      if (letters < ANSWER.letters) return null;
      const found = scoreOf(words);
      if (!found || found.ngrams < LEAST_NGRAMS) return null;
      const passes = ({ ratio, lead, leadByLetters }: typeof ANSWER) =>
        found.score >= found.usual * ratio && found.score - found.second >= lead + leadByLetters / letters;
      if (!passes(ANSWER)) return null;
      return { language: found.language, isCertain: letters >= CERTAIN.letters && passes(CERTAIN) };
    },
  };
}

import { hash } from 'node:crypto';

/**
 * What is not seen, and is put into a text to make it another: soft hyphens, zero-width and joining characters, directions,
 * fillers, variation selectors and tags, as of Default_Ignorable_Code_Point (Unicode 16, DerivedCoreProperties.txt).
 * Written out, so that whoever makes hashes elsewhere has the same list whatever Unicode version is there.
 */
const UNSEEN =
  /\u00ad|\u034f|\u061c|[\u115f\u1160]|[\u17b4\u17b5]|[\u180b-\u180f]|[\u200b-\u200f]|[\u202a-\u202e]|[\u2060-\u206f]|\u3164|[\ufe00-\ufe0f]|\ufeff|\uffa0|[\ufff0-\ufff8]|[\u{1bca0}-\u{1bca3}]|[\u{1d173}-\u{1d17a}]|[\u{e0000}-\u{e0fff}]/gu;
/** White_Space of Unicode; `\s` means another set in each language. */
const SPACES = /[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/g;
const NEEDS_UNICODE = /[^\t-\r -~]/;

/**
 * A text as hash lists compare it: without unseen characters, in NFKC, lower case, runs of white space as one space, none at
 * the ends. docs/policies.md has the same in Python. Normalising twice changes nothing more.
 */
export function normalise(text: string): string {
  const seen = NEEDS_UNICODE.test(text)
    ? text.toWellFormed().replace(UNSEEN, '').normalize('NFKC').toLowerCase().normalize('NFKC')
    : text.toLowerCase();
  return seen.replace(SPACES, ' ').trim();
}

/** SHA-256 of the normalised text in UTF-8, 32 bytes; null where nothing is left of it, which would be equal to all such texts. */
export function hashOf(text: string): Buffer | null {
  const normalised = normalise(text);
  return normalised === '' ? null : hash('sha256', normalised, 'buffer');
}

/** Longer texts are no language tags: 35 characters are room for every one of the registry (RFC 5646, section 4.4.1). */
export const LONGEST_TAG = 35;

/** The tag of rows whose language is not known (ISO 639-2: undetermined). */
export const UNKNOWN_LANGUAGE = 'und';

/** A language tag as it is compared: lower case, `-` between its parts. `de_AT` → `de-at`. */
export function normaliseTag(tag: string): string {
  return tag.toLowerCase().replaceAll('_', '-');
}

/**
 * A BCP 47 tag and all shorter ones that it is a case of, the longest first, normalised: `zh-Hant-TW` → `zh-hant-tw`,
 * `zh-hant`, `zh` (the lookup of RFC 4647, section 3.4). None for what is too long to be a tag.
 */
export function tagRanges(tag: string): string[] {
  if (tag.length > LONGEST_TAG) return [];
  const ranges: string[] = [];
  for (let range = normaliseTag(tag); range !== '';) {
    ranges.push(range);
    range = range.slice(0, Math.max(0, range.lastIndexOf('-')));
  }
  return ranges;
}

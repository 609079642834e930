import { closest, distance } from 'fastest-levenshtein';

/** `; did you mean "x"?` when one of the known words is close to the given one, else an empty string. */
export function didYouMean(word: string, known: readonly string[]): string {
  if (known.length === 0) return '';
  const candidate = closest(word, known);
  return distance(word, candidate) <= Math.max(2, Math.floor(word.length / 3))
    ? `; did you mean "${candidate}"?`
    : '';
}

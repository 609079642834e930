import { hash } from 'node:crypto';

const SPAN = 2 ** 32;

/**
 * Where someone stands between 0 and 1 for a model: always at the same place, evenly spread. Whoever is below a model's
 * share is taken by it, so a growing share only adds; another model's places are unrelated. `who` is the user, or the content
 * where there is none. Pure.
 */
export function stickyPlace(model: string, customer: string, who: string): number {
  // Lengths, so that no two triples make one text.
  const key = `${model.length},${customer.length}:${model}${customer}${who}`;
  return hash('sha1', key, 'buffer').readUInt32BE(0) / SPAN;
}

import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { Random } from '../content/random.ts';
import { decodedBatches } from '../stages/batches.ts';

const MOST = 40_000;

/** Texts to measure with: those of a JSONL file (`text`; may end in .gz), at most 40,000 in a seeded order, else generated ones. */
export function textsOf(path: string | undefined): string[] {
  if (path === undefined) return decodedBatches(10_000).flatMap(({ text }) => [...text]);
  const bytes = readFileSync(path);
  const lines = (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8').split('\n');
  const texts = lines
    .filter((line) => line !== '')
    .map((line) => (JSON.parse(line) as { text: string }).text);
  const random = new Random(9);
  for (let last = texts.length - 1; last > 0; last--) {
    const other = random.integer(last + 1);
    [texts[last], texts[other]] = [texts[other]!, texts[last]!];
  }
  return texts.slice(0, MOST);
}

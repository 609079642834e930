import type { DecodedBatch, VerdictBatch } from '../src/types.ts';
import type { SliceInput } from '../src/archive/content-slices.ts';

const WORDS =
  'the quick report that nobody asked for was posted again by someone who thinks this thread needs another angry reply from people living far away und noch etwas mehr über Wörter'.split(
    ' ',
  );

/** A small generator of equal numbers on every run (xorshift32). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 4294967296;
  };
}

/** One batch as the decoder and the classifier make it: messages of about 300 bytes of JSON, `customers` of them mixed. */
export function batchOf(options: {
  rows: number;
  customers: number;
  labels: number;
  partition?: number;
  first?: number;
  seed?: number;
}): SliceInput {
  const { rows, customers, labels, partition = 0, first = 0 } = options;
  const next = random(options.seed ?? 1 + partition * 7919 + first);
  const pick = <T>(values: readonly T[]) => values[Math.floor(next() * values.length)]!;
  const texts = Array.from({ length: rows }, () => {
    let text = '';
    while (text.length < 110 + next() * 30) text += `${pick(WORDS)} `;
    return text;
  });
  const hex = () =>
    Math.floor(next() * 0xffffffff)
      .toString(16)
      .padStart(8, '0');
  const decoded: DecodedBatch = {
    rows,
    index: Int32Array.from({ length: rows }, (_, i) => i),
    contentId: Array.from({ length: rows }, () => `${hex()}${hex()}`),
    customer: Array.from({ length: rows }, () => `customer-${Math.floor(next() * customers)}`),
    text: texts,
    userId: Array.from({ length: rows }, () => `user-${Math.floor(next() * 50_000)}`),
    contentType: Array.from({ length: rows }, () => pick(['comment', 'post', 'message'])),
    language: Array.from({ length: rows }, () => pick(['en', 'de', 'fr'])),
    createdAt: Float64Array.from(
      { length: rows },
      (_, i) => 1.76e15 + (first + i) * 1000 + Math.floor(next() * 900),
    ),
    metadata: Array.from({ length: rows }, () => [
      'channel',
      pick(['app', 'web']),
      'region',
      pick(['eu', 'us', 'ap']),
    ]),
    deadLetters: [],
    skipped: {},
  };
  const verdicts: VerdictBatch = {
    labels: Array.from({ length: labels }, (_, i) => `label_${i}`),
    scores: Float32Array.from({ length: rows * labels }, () => next() ** 6),
    actions: Uint8Array.from({ length: rows }, () => (labels > 0 && next() < 0.05 ? 2 : 0)),
    reasons: Array.from({ length: rows }, () => null),
    thresholds: Array.from({ length: rows }, () => null),
    language: decoded.language,
    model: labels > 0 ? 'toxicity@3' : null,
    policy: 'default@1',
    poison: [],
    seconds: { language: 0, tokenise: 0, infer: 0, policy: 0 },
    tokens: 0,
    padding: 0,
  };
  return {
    raw: {
      topic: 'content',
      partition,
      offsets: Float64Array.from({ length: rows }, (_, i) => first + i),
      receivedAt: 1.76e12 + first,
    },
    decoded,
    verdicts,
    decidedAt: 1.76e12 + first + 20,
    partitionBy: ['customer', 'day'],
  };
}

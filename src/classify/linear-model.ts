import { readFileSync } from 'node:fs';
import { MisconfiguredError, messageOf } from '../errors.ts';
import { createNgramFeatures } from './ngram-features.ts';

const MAGIC = 'SLUICELN';
const LAYOUT = 1;
const HEADER_BYTES = 20;
const MOST_BITS = 24;
const MOST_LABELS = 4096;

/** A linear function of hashed n-grams for each label. */
export interface LinearModel {
  readonly labels: number;
  /** Writes the probabilities of a text to `into[at ..]`, one per label; NaN for a text without words. */
  readonly score: (text: string, into: Float32Array, at: number) => void;
}

/**
 * Reads `linear.bin`, whose layout `training/first_stage.py` describes: for each label a scale, a bias and a
 * weight per bucket. Logit = bias + scale × (sum of the weights of the text's n-grams) / √(number of n-grams). Throws
 * MisconfiguredError when it is no such file, or another length than its header says.
 */
export function readLinearModel(file: string): LinearModel {
  const { bits, labels, scale, bias, weights } = parse(file);
  const ngrams = createNgramFeatures(bits);
  return {
    labels,
    score(text, into, at) {
      const found = ngrams(text);
      const root = Math.sqrt(found.length);
      for (let label = 0; label < labels; label++) {
        let sum = 0;
        for (let i = 0; i < found.length; i++) sum += weights[found[i]! * labels + label]!;
        into[at + label] = 1 / (1 + Math.exp(-(bias[label]! + (scale[label]! * sum) / root)));
      }
    },
  };
}

function parse(file: string) {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    throw new MisconfiguredError(`${file}: expected a linear model, got ${messageOf(error)}`);
  }
  if (bytes.length < HEADER_BYTES || bytes.toString('latin1', 0, MAGIC.length) !== MAGIC)
    throw new MisconfiguredError(`${file}: expected a linear model (${MAGIC}), got another kind of file`);
  const [layout, bits, labels] = [8, 12, 16].map((at) => bytes.readUInt32LE(at)) as [number, number, number];
  if (layout !== LAYOUT)
    throw new MisconfiguredError(`${file}: expected layout ${LAYOUT} of a linear model, got ${layout}`);
  if (bits < 1 || bits > MOST_BITS || labels < 1 || labels > MOST_LABELS)
    throw new MisconfiguredError(
      `${file}: expected 1 to ${MOST_BITS} bits and 1 to ${MOST_LABELS} labels, got ${bits} and ${labels}`,
    );
  const start = HEADER_BYTES + 8 * labels;
  const expected = start + labels * 2 ** bits;
  if (bytes.length !== expected)
    throw new MisconfiguredError(`${file}: expected ${expected} bytes, got ${bytes.length}`);
  const floats = (at: number) =>
    Float32Array.from({ length: labels }, (_, label) => bytes.readFloatLE(at + 4 * label));
  const scale = floats(HEADER_BYTES);
  const bias = floats(HEADER_BYTES + 4 * labels);
  if (![...scale, ...bias].every(Number.isFinite))
    throw new MisconfiguredError(`${file}: expected finite scales and biases, got another number`);
  // A code of one byte is a weight of two: c × |c|.
  const weights = Int16Array.from(new Int8Array(bytes.subarray(start)), (code) => code * Math.abs(code));
  return { bits, labels, scale, bias, weights };
}

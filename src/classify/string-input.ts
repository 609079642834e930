import type { Tensor } from 'onnxruntime-node';
import { MisconfiguredError } from '../errors.ts';
import type { Session } from './session.ts';

/**
 * Characters of a text that a string model looks at: it has no limit of its own, and one huge text would hold its worker
 * up. As many as an encoder of 512 tokens looks at.
 */
const MOST_CHARACTERS = 32_768;

/** The strings of one batch by the name of the input. */
export type FillStrings = (texts: readonly string[], rows: Int32Array) => Record<string, Tensor>;

/**
 * Makes the input of a model that reads texts itself (TfidfVectorizer and a linear model, as skl2onnx exports them): one
 * tensor of strings, [N] or [N, 1]. Lone surrogates are read as U+FFFD, U+0000 as a space. Throws MisconfiguredError for any other inputs.
 */
export function createStringInput(
  { inputs, Tensor }: Pick<Session, 'inputs' | 'Tensor'>,
  { onnx }: { readonly onnx: string },
): FillStrings {
  const [name] = inputs.keys();
  const rank = inputs.size === 1 ? inputs.get(name!)!.rank : 0;
  if (name === undefined || (rank !== 1 && rank !== 2))
    throw new MisconfiguredError(
      `${onnx}: expected one input of strings, [N] or [N, 1], got ${[...inputs].map(([input, { type, rank: dimensions }]) => `${input} (${type}, ${dimensions} dimensions)`).join(', ')}`,
    );
  return (texts, rows) => {
    // The runtime's binding ends a string at its first U+0000: whatever came after one would be hidden.
    const strings = Array.from(rows, (row) =>
      texts[row]!.slice(0, MOST_CHARACTERS).toWellFormed().replaceAll('\0', ' '),
    );
    return { [name]: new Tensor('string', strings, rank === 2 ? [rows.length, 1] : [rows.length]) };
  };
}

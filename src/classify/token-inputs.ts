import type { Tensor } from 'onnxruntime-node';
import { MisconfiguredError } from '../errors.ts';
import type { Batch } from './batching.ts';
import type { ModelFolder } from './model-folder.ts';
import type { Session } from './session.ts';
import type { TokenisedTexts } from './tokenizer.ts';

const KNOWN = ['input_ids', 'attention_mask', 'token_type_ids'];

/** Tensors of one batch by the name of the input; valid until the next call. */
export type FillTokens = (texts: TokenisedTexts, batch: Batch) => Record<string, Tensor>;

/**
 * Makes the inputs of an encoder: ids and mask, padded to the longest text of the batch, and token types, all 0. Throws
 * MisconfiguredError when the model asks for anything else.
 */
export function createTokenInputs(
  { inputs, Tensor }: Pick<Session, 'inputs' | 'Tensor'>,
  model: Pick<ModelFolder, 'onnx' | 'padId'>,
): FillTokens {
  checkInputs(inputs, model.onnx);
  // Tensors are views of these, grown when a batch needs more: no allocation in a run. Each cell is an int64 whose low
  // half is written through an Int32Array, because BigInt assignments cost ten times as much.
  let cells = 0;
  const buffers = new Map<string, Int32Array>();
  const grow = (needed: number) => {
    cells = Math.max(needed, cells * 2);
    for (const [name, { type }] of inputs)
      buffers.set(name, new Int32Array(cells * (type === 'int32' ? 1 : 2)));
  };

  return ({ ids, ends, lengths }, { rows, longest }) => {
    const size = rows.length * longest;
    if (size > cells) grow(size);
    const feeds: Record<string, Tensor> = {};
    for (const [name, { type }] of inputs) {
      const buffer = buffers.get(name)!;
      const wide = type === 'int32' ? 1 : 2;
      if (name !== 'token_type_ids') {
        const isIds = name === 'input_ids';
        for (let row = 0; row < rows.length; row++) {
          const text = rows[row]!;
          const length = lengths[text]!;
          const from = ends[text]! - length;
          let cell = row * longest * wide;
          for (let i = 0; i < length; i++, cell += wide) buffer[cell] = isIds ? ids[from + i]! : 1;
          for (let i = length; i < longest; i++, cell += wide) buffer[cell] = isIds ? model.padId : 0;
        }
      }
      const shape = [rows.length, longest];
      feeds[name] =
        wide === 1
          ? new Tensor('int32', buffer.subarray(0, size), shape)
          : new Tensor('int64', new BigInt64Array(buffer.buffer as ArrayBuffer, 0, size), shape);
    }
    return feeds;
  };
}

function checkInputs(inputs: Session['inputs'], onnx: string): void {
  const names = [...inputs.keys()];
  const unknown = names.some((name) => !KNOWN.includes(name));
  // Without a mask, padding would take part in the scores.
  const missing = ['input_ids', 'attention_mask'].some((name) => !inputs.has(name));
  if (unknown || missing)
    throw new MisconfiguredError(
      `${onnx}: expected inputs input_ids, attention_mask and at most token_type_ids, got ${names.join(', ')}`,
    );
  const other = [...inputs].find(([, { type }]) => type !== 'int64' && type !== 'int32');
  if (other)
    throw new MisconfiguredError(`${onnx}: input ${other[0]}: expected int64 or int32, got ${other[1].type}`);
}

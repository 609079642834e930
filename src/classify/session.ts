import type * as Onnx from 'onnxruntime-node';
import { MisconfiguredError, messageOf } from '../errors.ts';
import type { Batch } from './batching.ts';
import { sigmoid, softmax } from './activation.ts';
import type { ModelFolder } from './model-folder.ts';
import type { TokenisedTexts } from './tokenizer.ts';

/** A loaded model on this thread. */
export interface Session {
  /**
   * Probabilities of one batch, rows × labels, row-major, in the order of `batch.rows`. Valid until the next call.
   * Rejects with the runtime's own error when the model cannot compute the batch. The call holds this thread.
   */
  run(texts: TokenisedTexts, batch: Batch): Promise<Float32Array>;
  /** Frees the model. */
  close(): Promise<void>;
}

const KNOWN_INPUTS = ['input_ids', 'attention_mask', 'token_type_ids'];

/**
 * Loads the ONNX file with one thread of its own, and finds inputs and output by name. Throws MisconfiguredError when
 * the file is damaged, asks for inputs other than ids, mask and token types, or has other outputs than labels.
 */
export async function createSession(
  model: ModelFolder,
  options: { readonly provider: string },
): Promise<Session> {
  // Imported here, so that a process without a model never loads the native library.
  const ort = await import('onnxruntime-node');
  let session: Onnx.InferenceSession;
  try {
    session = await ort.InferenceSession.create(model.onnx, {
      executionProviders: [options.provider],
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      graphOptimizationLevel: 'all',
      // The runtime writes to standard error itself, between the log lines; its errors come as exceptions anyway.
      logSeverityLevel: 4,
      extra: { session: { intra_op: { allow_spinning: '0' }, inter_op: { allow_spinning: '0' } } },
    });
  } catch (error) {
    throw new MisconfiguredError(
      `${model.onnx}: expected an ONNX model, got ${messageOf(error).split('\n')[0]!}`,
    );
  }
  const output = checkOutput(session, model);
  const inputs = checkInputs(session, model);
  const types = new Map(
    session.inputMetadata.map((input) => [input.name, 'type' in input ? input.type : 'int64']),
  );

  // Tensors are views of these, grown when a batch needs more: no allocation in a run. Each cell is an int64 whose low
  // half is written through an Int32Array, because BigInt assignments cost ten times as much.
  let cells = 0;
  const buffers = new Map<string, Int32Array>();
  const grow = (needed: number) => {
    cells = Math.max(needed, cells * 2);
    for (const name of inputs)
      buffers.set(name, new Int32Array(cells * (types.get(name) === 'int32' ? 1 : 2)));
  };

  const fill = ({ ids, ends, lengths }: TokenisedTexts, { rows, longest }: Batch) => {
    const size = rows.length * longest;
    if (size > cells) grow(size);
    const feeds: Record<string, Onnx.Tensor> = {};
    for (const name of inputs) {
      const buffer = buffers.get(name)!;
      const wide = types.get(name) === 'int32' ? 1 : 2;
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
          ? new ort.Tensor('int32', buffer.subarray(0, size), shape)
          : new ort.Tensor('int64', new BigInt64Array(buffer.buffer, 0, size), shape);
    }
    return feeds;
  };

  const activate = model.activation === 'sigmoid' ? sigmoid : softmax;
  return {
    async run(texts, batch) {
      const results = await session.run(fill(texts, batch), [output]);
      const logits = results[output]!;
      const expected = batch.rows.length * model.labels.length;
      if (!(logits.data instanceof Float32Array) || logits.data.length !== expected) {
        throw new MisconfiguredError(
          `${model.onnx}: output ${output}: expected float32 [${batch.rows.length}, ${model.labels.length}] (one per label), got ${logits.type} [${logits.dims.join(', ')}]`,
        );
      }
      activate(logits.data, model.labels.length);
      return logits.data;
    },
    close: () => session.release(),
  };
}

function checkInputs(session: Onnx.InferenceSession, model: ModelFolder): readonly string[] {
  const unknown = session.inputNames.find((name) => !KNOWN_INPUTS.includes(name));
  // Without a mask, padding would take part in the scores.
  const missing = ['input_ids', 'attention_mask'].find((name) => !session.inputNames.includes(name));
  if (unknown === undefined && missing === undefined) return session.inputNames;
  throw new MisconfiguredError(
    `${model.onnx}: expected inputs input_ids, attention_mask and at most token_type_ids, got ${session.inputNames.join(', ')}`,
  );
}

function checkOutput(session: Onnx.InferenceSession, model: ModelFolder): string {
  const name = session.outputNames.length === 1 ? session.outputNames[0]! : 'logits';
  const metadata = session.outputMetadata.find((output) => output.name === name);
  if (!metadata) {
    throw new MisconfiguredError(
      `${model.onnx}: expected an output "logits", got ${session.outputNames.join(', ')}`,
    );
  }
  const width = 'shape' in metadata ? metadata.shape.at(-1) : undefined;
  if (typeof width === 'number' && width > 0 && width !== model.labels.length) {
    throw new MisconfiguredError(
      `${model.onnx}: output ${name}: expected ${model.labels.length} columns (${model.labels.join(', ')}), got ${width}`,
    );
  }
  return name;
}

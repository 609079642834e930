import type * as Onnx from 'onnxruntime-node';
import { sigmoid, softmax } from './activation.ts';
import type { ModelFolder } from './model-folder.ts';
import { createOnnxSession, type OnnxOptions } from './onnx-session.ts';
import type { Provider } from './provider.ts';
import { findOutput, probabilitiesOf } from './session-output.ts';

/** An input of a model. */
export interface SessionInput {
  /** Element type: `int64`, `int32`, `string` … */
  readonly type: string;
  /** Number of dimensions. */
  readonly rank: number;
}

/** A loaded ONNX file on this thread. */
export interface Session {
  /** The inputs that the model asks for, by name. */
  readonly inputs: ReadonlyMap<string, SessionInput>;
  /** What runs it. */
  readonly provider: Provider;
  /** Makes tensors; the runtime's own constructor. */
  readonly Tensor: typeof Onnx.Tensor;
  /**
   * Probabilities of one batch, rows × labels, row-major. Valid until the next call. Rejects with the runtime's own
   * error when the model cannot compute the batch. The call holds this thread.
   */
  run(feeds: Readonly<Record<string, Onnx.Tensor>>, rows: number): Promise<Float32Array>;
  /** Frees the model. */
  close(): Promise<void>;
}

/**
 * Loads the ONNX file with one thread of its own, and finds its output. Throws MisconfiguredError when the file is
 * damaged or has other outputs than labels.
 */
export async function createSession(model: ModelFolder, options: OnnxOptions): Promise<Session> {
  const { session, provider, Tensor } = await createOnnxSession(model.onnx, options);
  const output = findOutput(session, model);
  const { activation, labels } = model;
  return {
    inputs: new Map(
      session.inputMetadata.map((input) => [
        input.name,
        input.isTensor ? { type: input.type, rank: input.shape.length } : { type: 'no tensor', rank: 0 },
      ]),
    ),
    Tensor,
    provider,
    async run(feeds, rows) {
      const results = await session.run(feeds, [output]);
      const logits = probabilitiesOf(results[output]!, { rows, output, model });
      if (activation === 'sigmoid') sigmoid(logits);
      else if (activation === 'softmax') softmax(logits, labels.length);
      return logits;
    },
    close: () => session.release(),
  };
}

import { existsSync } from 'node:fs';
import { MisconfiguredError } from '../errors.ts';
import type { Batch } from './batching.ts';
import type { ModelFolder } from './model-folder.ts';
import type { OnnxOptions } from './onnx-session.ts';
import type { Provider } from './provider.ts';
import { createSession, type Session } from './session.ts';
import { createStringInput } from './string-input.ts';
import { createTokenInputs } from './token-inputs.ts';
import { loadTokenizer } from './tokenizer.ts';

/** Texts as the model reads them. */
export interface PreparedTexts {
  /** Tokens of each text, special tokens included; 1 for a model that reads texts themselves. */
  readonly lengths: ArrayLike<number>;
  /** Probabilities of one batch, rows × labels, row-major; see {@link Session.run}. */
  run(batch: Batch): Promise<Float32Array>;
}

/** A model and what turns texts into its inputs, on this thread. */
export interface LoadedModel {
  /** What runs it. */
  readonly provider: Provider;
  /** Any string is accepted. */
  prepare(texts: readonly string[]): Promise<PreparedTexts>;
  /** Frees the model. */
  close(): Promise<void>;
}

/**
 * Loads the ONNX file of a folder. A model with one input of strings reads texts itself; any other gets token ids.
 * Throws MisconfiguredError, one line, for what it cannot feed.
 */
export async function loadModel(folder: ModelFolder, options: OnnxOptions): Promise<LoadedModel> {
  const session = await createSession(folder, options);
  try {
    return [...session.inputs.values()].some(({ type }) => type === 'string')
      ? readingStrings(session, folder)
      : await readingTokens(session, folder);
  } catch (error) {
    await session.close();
    throw error;
  }
}

async function readingTokens(session: Session, folder: ModelFolder): Promise<LoadedModel> {
  if (!existsSync(folder.tokenizer))
    throw new MisconfiguredError(`${folder.tokenizer}: expected a file, got nothing`);
  const fill = createTokenInputs(session, folder);
  const tokenizer = await loadTokenizer(folder.tokenizer, { maxTokens: folder.maxTokens });
  return {
    provider: session.provider,
    async prepare(texts) {
      const tokenised = await tokenizer.encode(texts);
      return {
        lengths: tokenised.lengths,
        run: (batch) => session.run(fill(tokenised, batch), batch.rows.length),
      };
    },
    close: () => session.close(),
  };
}

function readingStrings(session: Session, folder: ModelFolder): LoadedModel {
  const fill = createStringInput(session, folder);
  return {
    provider: session.provider,
    prepare: (texts) =>
      Promise.resolve({
        // Nothing is padded: every text costs a run the same.
        lengths: new Uint8Array(texts.length).fill(1),
        run: ({ rows }) => session.run(fill(texts, rows), rows.length),
      }),
    close: () => session.close(),
  };
}

import { MisconfiguredError } from '../errors.ts';
import type { Batch } from './batching.ts';
import type { InputTensor } from './inference-protocol.ts';
import type { TritonConfig } from './remote-config.ts';
import { loadTokenizer } from './tokenizer.ts';
import type { TritonFolder } from './triton-folder.ts';
import type { Tensor } from './triton-model.ts';

/** Texts ready to be sent: lengths in tokens, and the inputs of one request. */
export interface TritonTexts {
  readonly lengths: ArrayLike<number>;
  inputs(batch: Batch): readonly InputTensor[];
  /** Tokens of a batch, padding included, and padding; 0 where only the server counts them. */
  tokens(batch: Batch): { readonly tokens: number; readonly padding: number };
}

/** Turns texts into a model's inputs. */
export type PrepareTriton = (texts: readonly string[]) => Promise<TritonTexts>;

const TOKENS = ['input_ids', 'attention_mask', 'token_type_ids'];
/** English and its like; texts of about the same length are all that it is for. */
const CHARACTERS_PER_TOKEN = 4;

/**
 * Chooses by a model's inputs how texts are sent: as one input of type BYTES, or as token ids, for which `folder` must have the
 * tokenizer. Throws MisconfiguredError for a model that asks for anything else.
 */
export async function prepareTriton(
  inputs: readonly Tensor[],
  options: {
    readonly config: Pick<TritonConfig, 'input'>;
    readonly folder: TritonFolder | undefined;
    readonly where: string;
  },
): Promise<PrepareTriton> {
  const { config, folder, where } = options;
  const named = config.input === undefined ? inputs : inputs.filter(({ name }) => name === config.input);
  const only = named[0];
  if (named.length === 1 && only?.datatype === 'BYTES') return sendingTexts(only);
  const got = inputs.map(({ name, datatype }) => `${name} (${datatype})`).join(', ');
  const isTokens =
    inputs.every(({ name, datatype }) => TOKENS.includes(name) && /^INT(64|32)$/.test(datatype)) &&
    // Without a mask, padding would take part in the scores.
    ['input_ids', 'attention_mask'].every((name) => inputs.some((each) => each.name === name));
  if (!isTokens)
    throw new MisconfiguredError(
      `${where}: expected an input ${config.input ?? ''} of type BYTES, or input_ids, attention_mask and at most token_type_ids, got ${got}: set input`,
    );
  if (!folder)
    throw new MisconfiguredError(
      `${where}: takes token ids (${got}): set folder to the folder with its config.json and tokenizer.json`,
    );
  return await sendingTokens(inputs, folder);
}

function sendingTexts({ name, shape }: Tensor): PrepareTriton {
  return (texts) =>
    Promise.resolve({
      lengths: texts.map((text) => Math.ceil(text.length / CHARACTERS_PER_TOKEN)),
      inputs: ({ rows }) => [
        {
          name,
          datatype: 'BYTES',
          shape: shape.length === 1 ? [rows.length] : [rows.length, ...shape.slice(1).map(() => 1)],
          data: Array.from(rows, (row) => texts[row]!),
        },
      ],
      tokens: () => ({ tokens: 0, padding: 0 }),
    });
}

async function sendingTokens(inputs: readonly Tensor[], folder: TritonFolder): Promise<PrepareTriton> {
  const tokenizer = await loadTokenizer(folder.tokenizer, { maxTokens: folder.maxTokens });
  return async (texts) => {
    const { ids, ends, lengths } = await tokenizer.encode(texts);
    const fill = (name: string, { rows, longest }: Batch): Int32Array => {
      const cells = new Int32Array(rows.length * longest);
      if (name === 'token_type_ids') return cells;
      if (name === 'input_ids') cells.fill(folder.padId);
      rows.forEach((text, row) => {
        const own = ids.subarray(ends[text]! - lengths[text]!, ends[text]);
        if (name === 'input_ids') cells.set(own, row * longest);
        else cells.fill(1, row * longest, row * longest + own.length);
      });
      return cells;
    };
    return {
      lengths,
      inputs: (batch) =>
        inputs.map(({ name, datatype }) => ({
          name,
          datatype: datatype === 'INT32' ? 'INT32' : 'INT64',
          shape: [batch.rows.length, batch.longest],
          data: fill(name, batch),
        })),
      tokens({ rows, longest }) {
        const tokens = rows.length * longest;
        return { tokens, padding: tokens - rows.reduce((sum, row) => sum + lengths[row]!, 0) };
      },
    };
  };
}

import { resolveModel } from '../../src/classify/config.ts';
import { readModelFolder } from '../../src/classify/model-folder.ts';
import { loadTokenizer } from '../../src/classify/tokenizer.ts';
import { decodedBatches } from './batches.ts';
import type { Stage } from './stage.ts';

/** Texts to token ids of the bundled model. */
export async function open(): Promise<Stage> {
  const folder = readModelFolder({ path: resolveModel('default', process.cwd()) });
  const tokenizer = await loadTokenizer(folder.tokenizer, { maxTokens: folder.maxTokens });
  const batches = decodedBatches(10_000);
  return {
    count: 10_000,
    async run() {
      for (const { text } of batches) await tokenizer.encode(text);
      return undefined;
    },
  };
}

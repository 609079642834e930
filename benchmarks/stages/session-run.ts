import * as ort from 'onnxruntime-node';
import { planBatches } from '../../src/classify/batching.ts';
import { classifyConfig, resolveModel } from '../../src/classify/config.ts';
import { readModelFolder } from '../../src/classify/model-folder.ts';
import { usualBatchTokens } from '../../src/classify/provider.ts';
import { loadTokenizer } from '../../src/classify/tokenizer.ts';
import { decodedBatches } from './batches.ts';
import type { Stage } from './stage.ts';

/** The limit of classifying: a bare `session.run` loop over tensors that were made beforehand, batched as the stage does. `file`: ONNX file below the folder. */
export async function openSessionRun(
  model: string,
  texts: number | readonly (readonly string[])[],
  file?: string,
): Promise<Stage> {
  const config = classifyConfig.parse({});
  const folder = readModelFolder({ path: resolveModel(model, process.cwd()), file });
  const tokenizer = await loadTokenizer(folder.tokenizer, { maxTokens: folder.maxTokens });
  const feeds: Record<string, ort.Tensor>[] = [];
  const batches = typeof texts === 'number' ? decodedBatches(texts).map(({ text }) => text) : texts;
  for (const text of batches) {
    // Equal texts of a batch are scored once, as in the stage.
    const { ids, ends, lengths } = await tokenizer.encode([...new Set(text)]);
    const plan = planBatches(lengths, {
      budget: config.batch_tokens ?? usualBatchTokens('cpu'),
      window: config.sort_window,
    });
    for (const { rows, longest } of plan) {
      const cells = {
        ids: new BigInt64Array(rows.length * longest),
        mask: new BigInt64Array(rows.length * longest),
      };
      rows.forEach((row, at) => {
        for (let token = 0; token < lengths[row]!; token++) {
          cells.ids[at * longest + token] = BigInt(ids[ends[row]! - lengths[row]! + token]!);
          cells.mask[at * longest + token] = 1n;
        }
      });
      const shape = [rows.length, longest];
      feeds.push({
        input_ids: new ort.Tensor('int64', cells.ids, shape),
        attention_mask: new ort.Tensor('int64', cells.mask, shape),
      });
    }
  }
  const session = await ort.InferenceSession.create(folder.onnx, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
  });
  return {
    count: batches.reduce((sum, text) => sum + text.length, 0),
    async run() {
      for (const feed of feeds) await session.run(feed);
      return undefined;
    },
    close: () => session.release(),
  };
}

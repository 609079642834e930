import { classifyConfig, createClassify } from '../../src/classify/index.ts';
import { decodedBatches } from './batches.ts';
import type { Stage } from './stage.ts';

/** The whole stage on one thread: language, tokeniser, sorting, session, policy. `model`: as in the configuration. */
export async function openClassify(model: string, texts: number): Promise<Stage> {
  const classify = await createClassify(
    model === 'drop'
      ? classifyConfig.parse({ model, language: 'off' })
      : // Every text is scored: each round has the same ones, in languages of all kinds.
        classifyConfig.parse({ models: { main: { model, duplicates: 'off', languages: ['*'] } } }),
  );
  const batches = decodedBatches(texts);
  return {
    count: texts,
    async run() {
      let tokens = 0;
      let padding = 0;
      for (const decoded of batches) {
        const verdicts = await classify(decoded);
        tokens += verdicts.tokens;
        padding += verdicts.padding;
      }
      return tokens === 0
        ? undefined
        : { more: { 'tokens a text': tokens / texts, 'padding %': (100 * padding) / tokens } };
    },
    close: () => classify.close(),
  };
}

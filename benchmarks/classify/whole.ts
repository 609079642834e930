import { encodeSlices } from '../../src/archive/content-slices.ts';
import { resolveModel } from '../../src/classify/config.ts';
import { classifyConfig, createClassify } from '../../src/classify/index.ts';
import { ingestConfig } from '../../src/ingest/config.ts';
import { createDecoder } from '../../src/ingest/decode.ts';
import { rawBatches } from '../stages/batches.ts';
import type { Stage } from '../stages/stage.ts';

/** The whole stage, and which texts of each batch its model scores: not those in languages that it cannot judge. */
export interface Whole extends Stage {
  readonly scored: readonly (readonly string[])[];
}

/** Everything that a worker does with a batch: parse, language, tokenise, sort, run, policy, columns. On this thread. */
export async function openWhole(
  model: string,
  texts: number,
  { file, detects = true }: { readonly file?: string | undefined; readonly detects?: boolean } = {},
): Promise<Whole> {
  const classify = await createClassify({
    ...classifyConfig.parse({
      duplicates: 'off',
      language: detects ? 'detect' : 'off',
      ...(file === undefined ? {} : { file }),
    }),
    model: resolveModel(model, process.cwd()),
  });
  const decode = createDecoder(ingestConfig.parse({}));
  const batches = rawBatches(texts);
  const scored: string[][] = [];
  for (const raw of batches) {
    const decoded = decode(raw);
    const { scores, labels } = await classify(decoded);
    scored.push(decoded.text.filter((_, row) => !Number.isNaN(scores[row * labels.length]!)));
  }
  return {
    count: texts,
    scored,
    async run() {
      let bytesOut = 0;
      for (const raw of batches) {
        const decoded = decode(raw);
        const verdicts = await classify(decoded);
        const decidedAt = raw.receivedAt;
        bytesOut += encodeSlices({ raw, decoded, verdicts, decidedAt, partitionBy: ['customer', 'day'] })
          .arena.length;
      }
      return { bytesOut };
    },
    close: () => classify.close(),
  };
}

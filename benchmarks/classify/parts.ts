import { encodeSlices } from '../../src/archive/content-slices.ts';
import { planBatches } from '../../src/classify/batching.ts';
import { classifyConfig, createClassify, resolveModel } from '../../src/classify/index.ts';
import { loadLanguageDetector } from '../../src/classify/language.ts';
import { readModelFolder } from '../../src/classify/model-folder.ts';
import { loadTokenizer, type TokenisedTexts } from '../../src/classify/tokenizer.ts';
import { usualBatchTokens } from '../../src/classify/provider.ts';
import { ingestConfig } from '../../src/ingest/config.ts';
import { createDecoder } from '../../src/ingest/decode.ts';
import type { VerdictBatch } from '../../src/types.ts';
import type { Sample } from '../harness/sample.ts';
import { decodedBatches, rawBatches } from '../stages/batches.ts';
import { openSessionRun } from '../stages/session-run.ts';
import { openWhole } from './whole.ts';

const TEXTS = 8192;
const ROUNDS = 5;

/**
 * What the stage costs a message beside the bundled model, in µs of one core, by part: each part alone, over the same
 * messages, by turns; the least of the rounds. `rest` is what the whole has beyond them: tensors, activation, joining models,
 * policy.
 */
export async function measureParts(): Promise<Sample> {
  const path = resolveModel('default', process.cwd());
  const config = { ...classifyConfig.parse({ duplicates: 'off' }), model: path };
  const folder = readModelFolder({ path });
  const tokenizer = await loadTokenizer(folder.tokenizer, { maxTokens: folder.maxTokens });
  const decode = createDecoder(ingestConfig.parse({}));
  const { detect } = loadLanguageDetector();
  const raws = rawBatches(TEXTS);
  const decoded = decodedBatches(TEXTS);
  const classify = await createClassify(config);
  const verdicts: VerdictBatch[] = [];
  for (const batch of decoded) verdicts.push(await classify(batch));
  await classify.close();
  const tokenised: TokenisedTexts[] = [];
  const whole = await openWhole('default', TEXTS);
  const runs = await openSessionRun('default', whole.scored);
  for (const text of whole.scored) tokenised.push(await tokenizer.encode([...new Set(text)]));
  const parts: Record<string, () => unknown> = {
    whole: () => whole.run(),
    model: () => runs.run(),
    parse: () => raws.forEach((raw) => decode(raw)),
    language: () =>
      decoded.forEach(({ language, text }) => language.forEach((named, row) => named ?? detect(text[row]!))),
    tokenise: async () => {
      for (const text of whole.scored) await tokenizer.encode([...new Set(text)]);
    },
    sort: () =>
      tokenised.forEach(({ lengths }) =>
        planBatches(lengths, { budget: usualBatchTokens('cpu'), window: config.sort_window }),
      ),
    columns: () =>
      raws.forEach((raw, at) =>
        encodeSlices({
          raw,
          decoded: decoded[at]!,
          verdicts: verdicts[at]!,
          decidedAt: raw.receivedAt,
          partitionBy: ['customer', 'day'],
        }),
      ),
  };
  const least = Object.fromEntries(Object.keys(parts).map((name) => [name, Infinity]));
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [name, run] of Object.entries(parts)) {
      const before = process.cpuUsage();
      await run();
      const { user, system } = process.cpuUsage(before);
      // The first round compiles.
      if (round > 0) least[name] = Math.min(least[name]!, (user + system) / TEXTS);
    }
  }
  const { whole: all, model, ...named } = least;
  const beside = all! - model!;
  const rest = beside - Object.values(named).reduce((sum, micros) => sum + micros, 0);
  const more = Object.entries({ 'beside the model': beside, model: model!, ...named, rest });
  return {
    count: TEXTS,
    seconds: (all! * TEXTS) / 1e6,
    cpuSeconds: (all! * TEXTS) / 1e6,
    more: Object.fromEntries(more.map(([name, micros]) => [`${name} µs`, micros])),
  };
}

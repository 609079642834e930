/**
 * Classifying: the bundled model on one thread. The same batches go through a bare `session.run` loop (texts tokenised
 * and tensors made beforehand) and through the whole stage (language, tokeniser, sorting, session, policy), in
 * alternating rounds. Quote the ratio; absolute figures depend on the machine. Figures are the median of the rounds' CPU
 * time; the parts of the stage are by the clock, so on a busy machine they add up to more.
 */
import { pathToFileURL } from 'node:url';
import * as ort from 'onnxruntime-node';
import { planBatches } from '../src/classify/batching.ts';
import { resolveModel } from '../src/classify/config.ts';
import { classifyConfig, createClassify, type ClassifyConfig } from '../src/classify/index.ts';
import { readModelFolder, type ModelFolder } from '../src/classify/model-folder.ts';
import { loadTokenizer } from '../src/classify/tokenizer.ts';
import { ingestConfig } from '../src/ingest/config.ts';
import { createDecoder } from '../src/ingest/decode.ts';
import type { DecodedBatch, VerdictBatch } from '../src/types.ts';
import { content } from './content.ts';
import type { Figure } from './pipeline.ts';

/** Options of {@link run}. */
export interface ClassifyBenchmark {
  /** Messages of one round. */
  readonly messages?: number;
  /** Messages of one batch. */
  readonly batch?: number;
  /** Rounds; the median is reported. */
  readonly rounds?: number;
  /** Classify settings, as in the configuration; the model is the bundled one unless named. */
  readonly classify?: Partial<ClassifyConfig>;
}

const median = (values: readonly number[]) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;

function decodedBatches(messages: number, size: number): DecodedBatch[] {
  const decode = createDecoder(ingestConfig.parse({}));
  const start = new Date(Date.now() - 3 * 86_400_000).toISOString();
  const lines = [...content({ messages, seed: 11, start })];
  const batches: DecodedBatch[] = [];
  for (let at = 0; at < lines.length; at += size) {
    const part = lines.slice(at, at + size);
    const ends = new Uint32Array(part.length);
    let end = 0;
    part.forEach((line, i) => (ends[i] = end += line.length));
    batches.push(
      decode({
        topic: 'bench',
        partition: 0,
        rows: part.length,
        bytes: new Uint8Array(Buffer.concat(part)),
        starts: Uint32Array.from(part, (line, i) => ends[i]! - line.length),
        ends,
        offsets: Float64Array.from(part, (_, i) => at + i),
        timestamps: new Float64Array(part.length).fill(NaN),
        receivedAt: Date.now(),
        first: at,
        next: at + part.length,
      }),
    );
  }
  return batches;
}

/** The tensors that the stage would make, made beforehand; equal texts of a batch once, as in the stage. */
async function feedsOf(folder: ModelFolder, config: ClassifyConfig, batches: readonly DecodedBatch[]) {
  const tokenizer = await loadTokenizer(folder.tokenizer, { maxTokens: folder.maxTokens });
  const feeds: Record<string, ort.Tensor>[] = [];
  for (const { text } of batches) {
    const { ids, ends, lengths } = await tokenizer.encode([...new Set(text)]);
    for (const { rows, longest } of planBatches(lengths, {
      budget: config.batch_tokens,
      window: config.sort_window,
    })) {
      const cells = {
        ids: new BigInt64Array(rows.length * longest),
        mask: new BigInt64Array(rows.length * longest),
      };
      rows.forEach((row, i) => {
        for (let k = 0; k < lengths[row]!; k++) {
          cells.ids[i * longest + k] = BigInt(ids[ends[row]! - lengths[row]! + k]!);
          cells.mask[i * longest + k] = 1n;
        }
      });
      const shape = [rows.length, longest];
      feeds.push({
        input_ids: new ort.Tensor('int64', cells.ids, shape),
        attention_mask: new ort.Tensor('int64', cells.mask, shape),
      });
    }
  }
  return feeds;
}

/** CPU seconds of all threads of this process: the tokenizer works on a thread of its own while this one waits. */
async function cpuSeconds(work: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

/** Runs the benchmark in memory, on this thread. */
export async function run(options: ClassifyBenchmark = {}): Promise<Figure[]> {
  const { messages = 4096, batch = 512, rounds = 5 } = options;
  const config: ClassifyConfig = { ...classifyConfig.parse({}), ...options.classify };
  const folder = readModelFolder({ path: resolveModel(config.model, process.cwd()), file: config.file });
  const batches = decodedBatches(messages, batch);
  const rows = batches.reduce((sum, { rows: count }) => sum + count, 0);
  const feeds = await feedsOf(folder, config, batches);
  const session = await ort.InferenceSession.create(folder.onnx, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
  });
  const classify = await createClassify(config);
  const times = { bare: [] as number[], stage: [] as number[] };
  let verdicts: VerdictBatch[] = [];
  const parts: Record<string, number[]> = {};
  for (let round = -1; round < rounds; round++) {
    const bare = await cpuSeconds(async () => {
      for (const feed of feeds) await session.run(feed);
    });
    const stage = await cpuSeconds(async () => {
      verdicts = [];
      for (const decoded of batches) verdicts.push(await classify(decoded));
    });
    if (round < 0) continue;
    times.bare.push(bare);
    times.stage.push(stage);
    for (const part of ['language', 'tokenise', 'infer', 'policy'] as const)
      (parts[part] ??= []).push(verdicts.reduce((sum, verdict) => sum + verdict.seconds[part], 0));
  }
  await Promise.all([session.release(), classify.close()]);
  const tokens = verdicts.reduce((sum, verdict) => sum + verdict.tokens, 0);
  const padding = verdicts.reduce((sum, verdict) => sum + verdict.padding, 0);
  const [bare, stage] = [median(times.bare), median(times.stage)];
  return [
    { name: 'bare session.run loop', value: rows / bare, unit: 'texts/s a core' },
    { name: 'whole stage', value: rows / stage, unit: 'texts/s a core' },
    { name: 'whole stage against bare', value: bare / stage, unit: '×' },
    { name: 'bare session.run', value: (bare * 1e6) / rows, unit: 'µs CPU a text' },
    { name: 'whole stage', value: (stage * 1e6) / rows, unit: 'µs CPU a text' },
    ...Object.entries(parts).map(([part, values]) => ({
      name: `stage: ${part}`,
      value: (median(values) * 1e6) / rows,
      unit: 'µs a text by the clock',
    })),
    { name: 'tokens, padding included', value: tokens / rows, unit: 'a text' },
    { name: 'padding', value: (100 * padding) / tokens, unit: '% of tokens' },
    { name: 'runs of the model', value: feeds.length / batches.length, unit: 'a batch' },
  ];
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  for (const { name, value, unit } of await run())
    console.log(`${name.padEnd(40)} ${value.toFixed(2)} ${unit}`);
}

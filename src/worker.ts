/**
 * The thread entry: what runs off the main thread, one named export per task; messages and results move, they are not
 * copied. The stages are joined here, in workers.ts (the other end of these tasks) and in pipeline.ts, nowhere else. Their
 * files are imported one by one: behind a stage's index.ts are clients of Kafka and S3, which each thread would load.
 */
import { workerData } from 'piscina';
import { encodeSlices } from './archive/content-slices.ts';
import { encodeFile, type EncodeTask } from './archive/encode.ts';
import { encodeFeedbackSlices } from './archive/feedback-slices.ts';
import { createClassify, type Classify, type ClassifyFacts } from './classify/classify.ts';
import { task } from './classify/task.ts';
import type { Config } from './config.ts';
import { deadLetterOf } from './dead-letter.ts';
import { createDecisions } from './decisions.ts';
import { UnavailableError } from './errors.ts';
import { createDecoder } from './ingest/decode.ts';
import { createFeedbackDecoder } from './ingest/feedback.ts';
import { free } from './memory.ts';
import { unchangedRows } from './score-unchanged.ts';
import type { RawBatch, ScoredBatch } from './types.ts';

const config = workerData as Config;
const decode = createDecoder(config.ingest);
const decodeFeedback = createFeedbackDecoder(config.ingest);
const decisionsOf = createDecisions(config.sinks);
// One loading for all tasks of this thread. Awaited here, because a thread that waits for tasks blocks its event loop; a
// failure is answered by each task, never left unhandled.
let loading = createClassify(config.classify);
await loading.catch(() => undefined);

/** The stage; opened anew when a server that scores did not answer as this thread began. */
async function loaded(): Promise<Classify> {
  try {
    return await loading;
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error;
    loading = createClassify(config.classify);
    return await loading;
  }
}

/** Loads and checks the models: proves that this thread can classify. */
export const load = task(async (): Promise<ClassifyFacts> => {
  const { model, labels, reasons, models, policy } = await loaded();
  return { model, labels, reasons, models, policy };
});

/** Messages → decoded, scored, decided, as columns grouped by shard; feedback is only decoded. */
export const classify = task(
  async (raw: RawBatch): Promise<ScoredBatch> => {
    if (raw.topic === config.feedback?.topic) return feedback(raw);
    const classifyRows = await loaded();
    const wait = Math.max(0, Date.now() - raw.receivedAt);
    const started = performance.now();
    const decoded = decode(raw);
    const decodedAt = performance.now();
    const verdicts = await classifyRows(decoded);
    const decided = performance.now();
    const at = Date.now();
    const timings = { wait, decode: rounded(decodedAt - started), classify: rounded(decided - decodedAt) };
    const unchanged = config.rows === 'changed' ? unchangedRows(decoded, verdicts) : [];
    // What is poisoned is neither told nor archived, and so are rows that are not wanted; they are no dead letters.
    const without = [...verdicts.poison, ...unchanged.map((row) => ({ row, detail: 'unchanged' }))];
    const kept = unchanged.length === 0 ? verdicts : { ...verdicts, poison: without };
    const decisions = decisionsOf({ raw, decoded, verdicts: kept, decidedAt: at, timings });
    const { arena, shards, rows, tally } = encodeSlices({
      raw,
      decoded,
      verdicts: kept,
      decidedAt: at,
      partitionBy: config.archive.partition_by,
    });
    const poisoned = verdicts.poison.map(({ row, detail }) =>
      deadLetterOf(raw, decoded.index[row]!, { stage: 'classify', code: 'model_failed', detail }),
    );
    free(raw.bytes);
    return {
      topic: raw.topic,
      partition: raw.partition,
      rows,
      first: raw.first,
      next: raw.next,
      arena,
      shards,
      deadLetters: [...decoded.deadLetters, ...poisoned],
      ...(decisions.length > 0 ? { decisions } : {}),
      skipped: unchanged.length === 0 ? decoded.skipped : { ...decoded.skipped, unchanged: unchanged.length },
      tally,
      seconds: {
        decode: (decodedAt - started) / 1000,
        ...verdicts.seconds,
        columns: (performance.now() - decided) / 1000,
      },
      tokens: verdicts.tokens,
      padding: verdicts.padding,
      ...(verdicts.work ? { work: verdicts.work } : {}),
    };
  },
  (scored) => [scored.arena.buffer],
);

function feedback(raw: RawBatch): ScoredBatch {
  const started = performance.now();
  const decoded = decodeFeedback(raw);
  const decodedAt = performance.now();
  const slices = encodeFeedbackSlices({ raw, decoded, partitionBy: config.archive.partition_by });
  free(raw.bytes);
  const { topic, partition, first, next } = raw;
  const { deadLetters, skipped } = decoded;
  const seconds = {
    decode: (decodedAt - started) / 1000,
    columns: (performance.now() - decodedAt) / 1000,
  };
  return { topic, partition, first, next, ...slices, deadLetters, skipped, seconds, tokens: 0, padding: 0 };
}

/** Milliseconds to the hundredth. */
function rounded(millis: number): number {
  return Math.round(millis * 100) / 100;
}

/** Slices of one shard → one Parquet file. */
export const encode = task(
  async (payload: EncodeTask) => {
    const file = await encodeFile(payload);
    for (const chunk of payload.chunks) free(chunk);
    return file;
  },
  (file) => [file.content.buffer],
);

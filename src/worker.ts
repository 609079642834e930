/**
 * The thread entry: what runs off the main thread, one named export per task; messages and results move, they are not
 * copied. The stages are joined here, in workers.ts (the other end of these tasks) and in pipeline.ts, nowhere else.
 */
import { workerData } from 'piscina';
import { encodeFeedbackSlices, encodeFile, encodeSlices, type EncodeTask } from './archive/index.ts';
import { createClassify, task } from './classify/index.ts';
import type { Config } from './config.ts';
import { deadLetterOf } from './dead-letter.ts';
import { createDecisions } from './decisions.ts';
import { createDecoder, createFeedbackDecoder } from './ingest/index.ts';
import { free } from './memory.ts';
import type { RawBatch, ScoredBatch } from './types.ts';

const config = workerData as Config;
const decode = createDecoder(config.ingest);
const decodeFeedback = createFeedbackDecoder(config.ingest);
const decisionsOf = createDecisions(config.sinks);
// One loading for all tasks of this thread. Awaited here, because a thread that waits for tasks blocks its event loop; a
// failure is answered by each task, never left unhandled.
const loading = createClassify(config.classify);
await loading.catch(() => undefined);

/** Loads and checks the model: proves that this thread can classify. */
export const load = task(async () => {
  const { model, labels } = await loading;
  return { model, labels };
});

/** Messages → decoded, scored, decided, as columns grouped by shard; feedback is only decoded. */
export const classify = task(
  async (raw: RawBatch): Promise<ScoredBatch> => {
    if (raw.topic === config.feedback?.topic) return feedback(raw);
    const classifyRows = await loading;
    const wait = Math.max(0, Date.now() - raw.receivedAt);
    const started = performance.now();
    const decoded = decode(raw);
    const decodedAt = performance.now();
    const verdicts = await classifyRows(decoded);
    const decided = performance.now();
    const at = Date.now();
    const timings = { wait, decode: rounded(decodedAt - started), classify: rounded(decided - decodedAt) };
    const decisions = decisionsOf({ raw, decoded, verdicts, decidedAt: at, timings });
    const { arena, shards, rows, tally } = encodeSlices({
      raw,
      decoded,
      verdicts,
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
      skipped: decoded.skipped,
      tally,
      seconds: {
        decode: (decodedAt - started) / 1000,
        ...verdicts.seconds,
        columns: (performance.now() - decided) / 1000,
      },
      tokens: verdicts.tokens,
      padding: verdicts.padding,
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

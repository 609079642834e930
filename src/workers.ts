import type { ResourceLimits } from 'node:worker_threads';
import type { EncodedFile, EncodeTask } from './archive/index.ts';
import { classifyWithRetry, createPool, workerCount } from './classify/index.ts';
import type { Config } from './config.ts';
import { WorkerDiedError, type HungError } from './errors.ts';
import type { Events } from './events.ts';
import type { RawBatch, ScoredBatch } from './types.ts';

/** The threads of worker.ts, with the model loaded and checked in each. */
export interface Workers {
  /** `name@version`, or null when nothing scores. */
  readonly model: string | null;
  /** Labels of the model; none when nothing scores. */
  readonly labels: readonly string[];
  readonly count: number;
  /** Classifies a batch; whatever happens to threads, it comes back whole, in order, dead letters included. */
  classify(batch: RawBatch): Promise<ScoredBatch[]>;
  /** Encodes a shard file. */
  encode(task: EncodeTask): Promise<EncodedFile>;
  /** The error of a thread that never answered: the process must end by exitNow then, whatever else failed. */
  hung(): HungError | undefined;
  /** Waits for what is under way, then ends the threads. */
  close(): Promise<void>;
}

const FILENAME = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url);

/** Starts the threads; `count` instead of what the configuration says. Throws MisconfiguredError when the model cannot be loaded. */
export async function startWorkers(
  config: Config,
  events: Events,
  count = workerCount(config.classify.workers),
): Promise<Workers> {
  const pool = createPool({
    filename: FILENAME,
    workers: count,
    workerData: config,
    timeLimit: config.classify.time_limit,
    resourceLimits: heapOf(config),
  });
  try {
    // A task for each thread: ending one that still loads its model would abort the process.
    const loading = Array.from({ length: count }, () =>
      pool.run<Pick<Workers, 'model' | 'labels'>>('load', null),
    );
    const [loaded] = await Promise.all(loading);
    return {
      model: loaded?.model ?? null,
      labels: loaded?.labels ?? [],
      count,
      classify: (batch) =>
        classifyWithRetry((part, buffers) => pool.run<ScoredBatch>('classify', part, buffers), batch, {
          onWorkerDied: (fields) => events.workerDied({ task: 'classify', ...fields }),
        }),
      async encode(task) {
        try {
          // Copied, not moved, so that another thread can do it if this one dies.
          return await pool.run<EncodedFile>('encode', task);
        } catch (error) {
          if (!(error instanceof WorkerDiedError)) throw error;
          events.workerDied({ task: 'encode', attempt: 1, error: error.message });
          return await pool.run<EncodedFile>('encode', task);
        }
      },
      hung: () => pool.hung(),
      close: () => pool.close(),
    };
  } catch (error) {
    await pool.close();
    throw error;
  }
}

/**
 * What a thread's heap may grow to. V8 collects the more often the less it may take, and by itself it may take gigabytes: with
 * these it needs a third less memory at the same speed (docs/decisions/007-memory.md). The largest message, parsed, fits
 * several times.
 */
function heapOf({ ingest }: Config): ResourceLimits {
  const largest = Math.ceil(ingest.max_message_bytes / 1024 ** 2);
  return { maxYoungGenerationSizeMb: 24, maxOldGenerationSizeMb: 256 + 8 * largest };
}

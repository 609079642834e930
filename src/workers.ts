import type { ResourceLimits } from 'node:worker_threads';
import type { EncodedFile, EncodeTask } from './archive/index.ts';
import {
  classifyWithRetry,
  createPool,
  workerCount,
  type ClassifyFacts,
  type Pool,
} from './classify/index.ts';
import type { Config } from './config.ts';
import { MisconfiguredError, WorkerDiedError, type HungError } from './errors.ts';
import type { Events } from './events.ts';
import { resolveClassify, type ResolvedClassify } from './resolve-classify.ts';
import type { RawBatch, ScoredBatch } from './types.ts';

/** The threads of worker.ts, with the models loaded and checked in each. */
export interface Workers {
  /** What they run now; {@link Workers.replace} changes it. */
  readonly facts: ClassifyFacts;
  readonly resolved: ResolvedClassify;
  readonly count: number;
  /**
   * Classifies a batch; whatever happens to threads, it comes back whole, in order, dead letters included. While the server of a
   * model is away it waits, until `signal` aborts: then it rejects with the reason.
   */
  classify(batch: RawBatch, signal?: AbortSignal): Promise<ScoredBatch[]>;
  /** Encodes a shard file. */
  encode(task: EncodeTask): Promise<EncodedFile>;
  /**
   * Starts threads that run something else and, when all of them are ready, lets them take over: each batch is classified by
   * the old ones or by the new ones, and none by the old that came after one of the new. Rejects, and changes nothing, when the
   * new ones cannot be started or `accept` throws.
   */
  replace(next: ResolvedClassify): Promise<void>;
  /** The error of a thread that never answered: the process must end by exitNow then, whatever else failed. */
  hung(): HungError | undefined;
  /** Waits for what is under way, then ends the threads. */
  close(): Promise<void>;
}

/** What a caller may decide beside the configuration. */
export interface WorkersOptions {
  /** Threads, instead of what the configuration says. */
  readonly count?: number;
  /** Throws when what was loaded does not fit the rest of the pipeline. */
  readonly accept?: (facts: ClassifyFacts) => void;
}

/** Threads that run the same models, and how many batches or files they have. */
interface Generation {
  readonly resolved: ResolvedClassify;
  readonly pool: Pool;
  readonly facts: ClassifyFacts;
  users: number;
  /** Called when nobody uses it any more. */
  idle?: () => void;
}

const FILENAME = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url);

/**
 * Looks up what `classify` names and starts the threads. Throws MisconfiguredError when a model, a policy or a hash list cannot
 * be loaded, RetryableError when a server that has them is away.
 */
export async function startWorkers(
  config: Config,
  events: Events,
  { count = workerCount(config.classify), accept }: WorkersOptions = {},
): Promise<Workers> {
  const pools = new Set<Pool>();
  let current = await start(await resolveClassify(config.classify));
  events.classify.started(current.facts);
  const retiring = new Set<Promise<void>>();

  async function start(resolved: ResolvedClassify, check = accept): Promise<Generation> {
    const pool = createPool({
      filename: FILENAME,
      workers: count,
      workerData: { ...config, classify: resolved.config } satisfies Config,
      timeLimit: config.classify.time_limit,
      resourceLimits: heapOf(config),
    });
    pools.add(pool);
    try {
      // A task for each thread: ending one that still loads its model would abort the process.
      const loading = Array.from({ length: count }, () => pool.run<ClassifyFacts>('load', null));
      const facts = (await Promise.all(loading))[0]!;
      check?.(facts);
      return { resolved, pool, facts, users: 0 };
    } catch (error) {
      await end(pool);
      throw error;
    }
  }

  /** Ends threads, and forgets a pool with all that it holds, unless it hangs. */
  async function end(pool: Pool): Promise<void> {
    await pool.close();
    if (!pool.hung()) pools.delete(pool);
  }

  /** Lets the current threads do all of some work, tries after deaths included. */
  async function use<Result>(work: (pool: Pool) => Promise<Result>): Promise<Result> {
    const generation = current;
    generation.users++;
    try {
      return await work(generation.pool);
    } finally {
      generation.users--;
      if (generation.users === 0) generation.idle?.();
    }
  }

  async function retire(generation: Generation): Promise<void> {
    if (generation.users > 0) await new Promise<void>((resolve) => (generation.idle = resolve));
    await end(generation.pool);
  }

  return {
    get facts() {
      return current.facts;
    },
    get resolved() {
      return current.resolved;
    },
    count,
    classify: (batch, signal) =>
      use((pool) =>
        classifyWithRetry((part, buffers) => pool.run<ScoredBatch>('classify', part, buffers), batch, {
          onWorkerDied: (fields) => events.workerDied({ task: 'classify', ...fields }),
          onUnavailable: (fields) => events.classify.modelUnavailable(fields),
          signal,
        }),
      ),
    encode: (task) =>
      use(async (pool) => {
        try {
          // Copied, not moved, so that another thread can do it if this one dies.
          return await pool.run<EncodedFile>('encode', task);
        } catch (error) {
          if (!(error instanceof WorkerDiedError)) throw error;
          events.workerDied({ task: 'encode', attempt: 1, error: error.message });
          return await pool.run<EncodedFile>('encode', task);
        }
      }),
    async replace(next) {
      const fresh = await start(next, (facts) => {
        refuseOtherCase(current.facts.labels, facts.labels);
        accept?.(facts);
      });
      const old = current;
      current = fresh;
      events.classify.reloaded(fresh.facts);
      const retired = retire(old).finally(() => retiring.delete(retired));
      retiring.add(retired);
    },
    hung: () => [...pools].map((pool) => pool.hung()).find((error) => error !== undefined),
    async close() {
      await Promise.all([...retiring, current.pool.close()]);
    },
  };
}

/** Rows scored before and after a change share a file, whose columns Athena cannot tell apart by case. */
function refuseOtherCase(before: readonly string[], after: readonly string[]): void {
  for (const label of after) {
    const known = before.find((other) => other !== label && other.toLowerCase() === label.toLowerCase());
    if (known !== undefined)
      throw new MisconfiguredError(
        `label ${JSON.stringify(label)}: expected the spelling of what runs, ${JSON.stringify(known)}, or a restart: Athena cannot tell them apart in one file`,
      );
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

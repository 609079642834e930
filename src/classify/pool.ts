import { Piscina } from 'piscina';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ResourceLimits } from 'node:worker_threads';
import { HungError, messageOf, RetryableError, WorkerDiedError } from '../errors.ts';
import { restoreError, type Answer } from './task.ts';

/** Worker threads that run named tasks. */
export interface Pool {
  /**
   * Runs a task of the worker file (a named export made by `task()`); `transfer` moves instead of copying. Rejects with
   * the task's own error, WorkerDiedError when its worker died, RetryableError when no worker can start, or HungError
   * when it took longer than the limit.
   */
  run<T>(task: string, payload: unknown, transfer?: readonly ArrayBuffer[]): Promise<T>;
  /** Number of threads: how many tasks run at once; further ones wait in order. */
  readonly workers: number;
  /** Tasks accepted and not answered yet. */
  outstanding(): number;
  /** The error of a pool that hangs: the process must end by exitNow then, whatever else failed. */
  hung(): HungError | undefined;
  /** Refuses new tasks, waits for those under way, then ends the threads. A hung pool is left alone: see exitNow. */
  close(): Promise<void>;
}

/** How to make a pool. */
export interface PoolOptions {
  /** The worker file. */
  readonly filename: URL;
  readonly workers: number;
  /** Given to each worker as piscina's `workerData`. */
  readonly workerData?: unknown;
  /** Longest time between giving a task to a worker and its answer, a worker's start included; milliseconds. */
  readonly timeLimit: number;
  /** Environment of the workers; else a copy of this process's. */
  readonly env?: Readonly<Record<string, string>>;
  readonly resourceLimits?: ResourceLimits;
}

/** Node's timers hold 31 bits of milliseconds, and fire at once beyond. */
const LONGEST_TIMER = 0x7fffffff;
/** Longest wait for the replacement of a dead worker when the pool closes; one that cannot start is never ready. */
const REPLACEMENT_MILLIS = 5_000;

interface Waiting {
  readonly task: string;
  readonly payload: unknown;
  readonly transfer: readonly ArrayBuffer[];
  // `never`: the caller of run<T> says what its task answers, nothing here looks at it.
  readonly answered: (answer: Answer<never>) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Starts worker threads. Dead workers are replaced. No task is ever aborted and no thread ended while it works, because
 * ending a thread inside the model runtime aborts the whole process: a task over its limit makes the pool *hung*, every
 * run rejects with HungError from then on, and the process should end by {@link exitNow}.
 */
export function createPool(options: PoolOptions): Pool {
  // The tokenizer's native library reads the process's real environment, which workers cannot write.
  process.env['RAYON_NUM_THREADS'] ??= '1';
  const piscina = new Piscina({
    filename: options.filename.href,
    minThreads: options.workers,
    maxThreads: options.workers,
    idleTimeout: Infinity,
    concurrentTasksPerWorker: 1,
    recordTiming: false,
    workerData: options.workerData,
    ...(options.env ? { env: options.env } : {}),
    ...(options.resourceLimits ? { resourceLimits: options.resourceLimits } : {}),
  });
  const queue: Waiting[] = [];
  const running = new Set<Waiting>();
  let deaths = 0;
  let ready = 0;
  let lastWords = '';
  let hung: HungError | undefined;
  let closing: Promise<void> | undefined;
  let idle: (() => void) | undefined;

  const failAll = (error: Error) => {
    for (const waiting of [...running, ...queue.splice(0)]) settle(waiting, () => waiting.reject(error));
  };
  // An idle worker's death loses nothing: piscina replaces it. Only when no thread is left (workers die while they
  // start) would its queue wait forever.
  piscina.on('error', (error: Error) => (lastWords = `: ${messageOf(error)}`));
  piscina.on('workerCreate', () => ready++);
  piscina.on('workerDestroy', () => {
    deaths++;
    setImmediate(() => {
      if (!closing && piscina.threads.length === 0)
        failAll(new RetryableError(`no worker could start${lastWords}`));
    });
  });

  const settle = (waiting: Waiting, act: () => void) => {
    running.delete(waiting);
    // Rejecting a promise that is settled already (a hung task that answers late) does nothing.
    act();
    dispatch();
    if (running.size + queue.length === 0) idle?.();
  };

  const execute = async (waiting: Waiting): Promise<void> => {
    const deathsBefore = deaths;
    const timer = setTimeout(
      () => {
        hung = new HungError(
          `${waiting.task}: expected an answer within ${options.timeLimit / 1000} s, got none`,
        );
        failAll(hung);
      },
      Math.min(options.timeLimit, LONGEST_TIMER),
    );
    try {
      const answer: Answer<never> = await piscina.run(waiting.payload, {
        name: waiting.task,
        transferList: [...waiting.transfer],
      });
      settle(waiting, () => waiting.answered(answer));
    } catch (error) {
      // Tasks answer their own errors as values; a rejection without a death is a misuse of the pool.
      const reason =
        deaths === deathsBefore ? error : new WorkerDiedError(`${waiting.task}: ${messageOf(error)}`);
      settle(waiting, () => waiting.reject(reason));
    } finally {
      clearTimeout(timer);
    }
  };

  const dispatch = () => {
    if (hung) return;
    while (queue.length > 0 && running.size < options.workers) {
      const waiting = queue.shift()!;
      running.add(waiting);
      void execute(waiting);
    }
  };

  return {
    workers: options.workers,
    outstanding: () => running.size + queue.length,
    hung: () => hung,
    run<T>(task: string, payload: unknown, transfer: readonly ArrayBuffer[] = []) {
      if (hung) return Promise.reject(hung);
      if (closing) return Promise.reject(new Error(`${task}: expected an open pool, got a closed one`));
      const { promise, resolve, reject } = Promise.withResolvers<T>();
      const answered = (answer: Answer<T>) => {
        if ('value' in answer) resolve(answer.value);
        else reject(restoreError(answer.error));
      };
      queue.push({ task, payload, transfer, answered, reject });
      dispatch();
      return promise;
    },
    close() {
      closing ??= (async () => {
        if (running.size + queue.length > 0) await new Promise<void>((resolve) => (idle = resolve));
        // A replacement that still loads its model must not be ended either.
        if (hung) return;
        const patience = performance.now() + REPLACEMENT_MILLIS;
        while (ready < options.workers + deaths && performance.now() < patience) await sleep(10);
        await piscina.destroy();
      })();
      return closing;
    },
  };
}

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Sample } from '../harness/sample.ts';

const FURTHER = 3;
const ROUNDS = 3;

/** What a thread of memory-worker.ts is told. */
export interface MemoryData {
  readonly model: string;
  readonly file: string | undefined;
  readonly texts: number;
}

/**
 * What a further thread adds to the resident memory of this process, MB: the mean of three that start beside a first one, each
 * with heap limits as in `sluice run`, the language detector and the model, after some rounds of the whole stage.
 */
export async function measureMemory(data: MemoryData): Promise<Sample> {
  const filename = new URL('./memory-worker.ts', import.meta.url);
  const started = performance.now();
  const before = process.cpuUsage();
  const add = async () => {
    const worker = new Worker(filename, {
      workerData: data,
      resourceLimits: { maxYoungGenerationSizeMb: 24, maxOldGenerationSizeMb: 264 },
    });
    await once(worker, 'message');
    for (let round = 0; round < ROUNDS; round++) {
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
      worker.postMessage('run');
      await once(worker, 'message');
    }
    return process.memoryUsage.rss();
  };
  const first = await add();
  let last = first;
  for (let i = 0; i < FURTHER; i++) last = await add();
  const { user, system } = process.cpuUsage(before);
  return {
    count: FURTHER,
    seconds: (performance.now() - started) / 1000,
    cpuSeconds: (user + system) / 1e6,
    more: { 'with one thread MB': first / 1e6, 'a further thread MB': (last - first) / FURTHER / 1e6 },
  };
}

import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { quantile } from '../harness/statistics.ts';
import type { Sample } from '../harness/sample.ts';

const ROUNDS = 5;

/** What a thread of layout-worker.ts is told: which model, and how many texts it has. */
export interface LayoutData {
  readonly model: string;
  readonly file: string | undefined;
  /** Whether languages are detected. */
  readonly detects: boolean;
  readonly texts: number;
}

/**
 * The whole stage (parse, tokenise, sort, run, policy, columns) against a bare loop over `session.run` with the same
 * batches, on as many threads as the machine has cores, each with a session of its own; both by turns in the same threads.
 */
export async function measureLayout(data: LayoutData): Promise<Sample> {
  const filename = new URL('./layout-worker.ts', import.meta.url);
  const workers = Array.from(
    { length: availableParallelism() },
    () => new Worker(filename, { workerData: data }),
  );
  await Promise.all(workers.map((worker) => once(worker, 'message')));
  const phase = async (name: 'stage' | 'runs') => {
    const started = performance.now();
    const before = process.cpuUsage();
    await Promise.all(
      workers.map((worker) => {
        // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
        worker.postMessage(name);
        return once(worker, 'message');
      }),
    );
    const { user, system } = process.cpuUsage(before);
    return { wall: (performance.now() - started) / 1000, cpu: (user + system) / 1e6 };
  };
  await phase('stage');
  await phase('runs');
  const stage = [];
  const runs = [];
  for (let round = 0; round < ROUNDS; round++) {
    stage.push(await phase('stage'));
    runs.push(await phase('runs'));
  }
  const median = (values: readonly number[]) =>
    quantile(
      values.toSorted((a, b) => a - b),
      0.5,
    );
  const of = (phases: readonly { wall: number; cpu: number }[]) => ({
    wall: median(phases.map(({ wall }) => wall)),
    cpu: median(phases.map(({ cpu }) => cpu)),
  });
  const [whole, bare] = [of(stage), of(runs)];
  const count = workers.length * data.texts;
  return {
    count,
    seconds: whole.wall,
    cpuSeconds: whole.cpu,
    more: {
      'of bare runs, texts/s %': (100 * bare.wall) / whole.wall,
      'of bare runs, CPU %': (100 * bare.cpu) / whole.cpu,
      'beside the model, µs a text': ((whole.cpu - bare.cpu) / count) * 1e6,
    },
  };
}

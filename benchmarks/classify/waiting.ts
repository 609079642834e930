import { tmpdir } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { configFrom } from '../../src/config.ts';
import { createEvents } from '../../src/events.ts';
import { sliceBatch } from '../../src/raw-batch.ts';
import { startWorkers } from '../../src/workers.ts';
import { quantile } from '../harness/statistics.ts';
import type { Sample } from '../harness/sample.ts';
import { rawBatches } from '../stages/batches.ts';

const MESSAGES = 20;
const EVERY_MILLIS = 1000;

/**
 * One message a second with the bundled model, through the workers of the product: how long its decision takes beyond the time
 * in the model, from when the main thread hands the message over until it has the answer.
 */
export async function measureWaiting(): Promise<Sample> {
  const config = configFrom({
    name: 'waiting',
    source: { type: 'file', inputs: ['-'] },
    archive: { store: { type: 'directory', path: tmpdir() } },
    classify: { duplicates: 'off' },
  });
  const workers = await startWorkers(config, createEvents('silent'));
  const [messages] = rawBatches(1024);
  const beyond: number[] = [];
  const model: number[] = [];
  const started = performance.now();
  const before = process.cpuUsage();
  try {
    for (let message = 0; message < MESSAGES; message++) {
      const one = { ...sliceBatch(messages!, message, message + 1), receivedAt: Date.now() };
      const handed = performance.now();
      const [scored] = await workers.classify(one);
      const infer = (scored!.seconds['infer'] ?? 0) * 1000;
      model.push(infer);
      beyond.push(performance.now() - handed - infer);
      await delay(EVERY_MILLIS);
    }
  } finally {
    await workers.close();
  }
  const { user, system } = process.cpuUsage(before);
  const of = (values: number[], share: number) =>
    quantile(
      values.toSorted((a, b) => a - b),
      share,
    );
  return {
    count: MESSAGES,
    seconds: (performance.now() - started) / 1000,
    cpuSeconds: (user + system) / 1e6,
    more: {
      'beyond the model, median ms': of(beyond, 0.5),
      'beyond the model, worst ms': Math.max(...beyond),
      'beyond the model, first ms': beyond[0]!,
      'model, median ms': of(model, 0.5),
    },
  };
}

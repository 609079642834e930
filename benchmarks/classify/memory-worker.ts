/** One thread of memory.ts: the whole stage, once for each message. */
import { parentPort, workerData } from 'node:worker_threads';
import { openWhole } from './whole.ts';
import type { MemoryData } from './memory.ts';

const { model, file, texts } = workerData as MemoryData;
const whole = await openWhole(model, texts, { file });
parentPort!.on('message', () => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  void whole.run().then(() => parentPort!.postMessage('done'));
});
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
parentPort!.postMessage('open');

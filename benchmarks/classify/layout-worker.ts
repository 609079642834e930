/** One thread of layout.ts: does the whole stage, or the bare runs, once for each message. */
import { parentPort, workerData } from 'node:worker_threads';
import { openWhole } from './whole.ts';
import { openSessionRun } from '../stages/session-run.ts';
import type { LayoutData } from './layout.ts';

const { model, file, detects, texts } = workerData as LayoutData;
const whole = await openWhole(model, texts, { file, detects });
const runs = await openSessionRun(model, whole.scored, file);
parentPort!.on('message', (name: 'stage' | 'runs') => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  void (name === 'stage' ? whole : runs).run().then(() => parentPort!.postMessage('done'));
});
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
parentPort!.postMessage('open');

import { Presets, SingleBar } from 'cli-progress';
import type { Pipeline } from './pipeline.ts';

/** A bar on a terminal that shows how far a pipeline is with its files; nothing elsewhere. Returns what ends it. */
export function showProgress(pipeline: Pipeline): () => void {
  const bar = new SingleBar(
    {
      format: ' {bar} {percentage}% | {messages} messages | {rate}/s | batches of {batch} | {left} left',
      hideCursor: true,
      clearOnComplete: false,
      barsize: 30,
    },
    Presets.shades_classic,
  );
  let first: { readonly at: number; readonly messages: number } | undefined;
  const update = () => {
    const { bytes, totalBytes, handedOver } = pipeline.progress();
    const { messages, batches } = pipeline.totals();
    // The model loads before the first batch: a rate that counts it would lie for a while.
    if (messages > 0) first ??= { at: performance.now(), messages };
    const seconds = first ? (performance.now() - first.at) / 1000 : 0;
    const rate = first && seconds > 0 ? (messages - first.messages) / seconds : 0;
    // What is read is not done yet: some of it is on its way through the workers.
    const done = handedOver > 0 ? ((totalBytes - bytes) * messages) / handedOver : 0;
    const total = done > 0 ? (messages * totalBytes) / done : 0;
    bar.setTotal(Math.max(totalBytes, 1));
    bar.update(done, {
      messages: messages.toLocaleString('en'),
      rate: Math.round(rate).toLocaleString('en'),
      batch: batches > 0 ? Math.round(messages / batches) : 0,
      left: rate > 0 ? `${Math.ceil(Math.max(total - messages, 0) / rate)} s` : '?',
    });
  };
  bar.start(1, 0, { messages: 0, rate: 0, batch: 0, left: '?' });
  const timer = setInterval(update, 100);
  return () => {
    clearInterval(timer);
    update();
    bar.stop();
  };
}

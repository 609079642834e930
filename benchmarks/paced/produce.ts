import { setTimeout as delay } from 'node:timers/promises';
import type { Producer } from 'kafkajs';
import { content } from '../content.ts';
import { PARTITIONS } from '../harness/topic.ts';

/** How often the producer sends what is due, milliseconds. */
const TICK = 5;

/** What {@link produce} writes. */
export interface PaceOptions {
  readonly topic: string;
  /** Messages per second, and for how many seconds. */
  readonly rate: number;
  readonly seconds: number;
  readonly customers: number;
}

/**
 * Writes messages of 300 bytes at a steady rate, whatever the answers take: a slow pipeline must not slow its producers. Ends
 * early when `signal` is aborted. Resolves with the number of messages.
 */
export async function produce(
  producer: Producer,
  { topic, rate, seconds, customers }: PaceOptions,
  signal?: AbortSignal,
): Promise<number> {
  const lines = [...content({ messages: 5000, bytes: 300, customers, seed: 3, days: 0.03 })];
  const total = Math.round(rate * seconds);
  const started = performance.now();
  const sends = new Set<Promise<unknown>>();
  let sent = 0;
  for (; sent < total && !signal?.aborted; await delay(TICK)) {
    const due = Math.min(total, Math.floor(((performance.now() - started) / 1000) * rate));
    if (due === sent) continue;
    const messages = [];
    for (; sent < due; sent++)
      messages.push({
        value: lines[sent % lines.length]!,
        partition: sent % PARTITIONS,
        timestamp: String(Date.now()),
      });
    const send: Promise<unknown> = producer.send({ topic, messages }).finally(() => sends.delete(send));
    sends.add(send);
  }
  await Promise.all(sends);
  return sent;
}

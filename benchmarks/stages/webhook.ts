import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Decision } from '../../src/decision.ts';
import { createDelivery } from '../../src/sinks/webhooks/delivery.ts';
import { webhooksSinkConfig } from '../../src/sinks/webhooks/config.ts';
import type { DeliveryEvents } from '../../src/sinks/webhooks/delivery-events.ts';
import { createWebhooksSink } from '../../src/sinks/webhooks/webhooks-sink.ts';
import type { Stage } from './stage.ts';

const DECISIONS = 2_000;
/** As many as a batch of messages gives. */
const BATCH = 500;
const TIME = '2026-11-01T00:00:00.000Z';

/** Decisions into Redis, each signed and sent to a receiver on this machine by itself; the receiver is in the same process. */
export async function open(): Promise<Stage> {
  let came = 0;
  let wanted = Infinity;
  let arrived = () => {};
  const receiver = createServer((request, response) => {
    request.resume();
    response.writeHead(204).end();
    if (++came === wanted) arrived();
  }).listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  const config = webhooksSinkConfig.parse({
    type: 'webhooks',
    redis: process.env['SLUICE_REDIS'],
    prefix: `bench-${process.pid}`,
    allow_http: true,
    allow_private: ['127.0.0.0/8'],
    remember: '1s',
    endpoints: {
      all: {
        url: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`,
        secrets: [`whsec_${Buffer.alloc(32, 1).toString('base64')}`],
        actions: ['allow', 'review', 'block'],
        concurrency: 32,
      },
    },
  });
  const options = { config, name: 'hooks', at: 'sinks.hooks' };
  const sink = createWebhooksSink(options);
  const ignore = () => undefined;
  const events = new Proxy({}, { get: () => ignore }) as DeliveryEvents;
  const delivery = createDelivery({ ...options, events });
  await sink.check();
  delivery.start();
  let next = 0;
  return {
    count: DECISIONS,
    async run() {
      const all = new Promise<void>((done) => (arrived = done));
      wanted = came + DECISIONS;
      for (let at = 0; at < DECISIONS; at += BATCH) {
        const batch = Array.from({ length: BATCH }, () => decision(next++));
        const refused = await sink.deliver(batch, AbortSignal.timeout(60_000));
        if (refused.length > 0)
          throw new Error(`expected Redis to take all, it refused: ${refused[0]!.detail}`);
      }
      await all;
      return undefined;
    },
    async close() {
      await delivery.stop(5_000);
      await sink.close();
      receiver.close();
    },
  };
}

function decision(offset: number): Decision {
  return {
    id: `bench-0-${offset}`,
    customer: 'acme-social',
    content_id: `post_${offset}`,
    user_id: 'user_1',
    content_type: 'comment',
    language: 'en',
    action: 'block',
    reasons: [{ label: 'toxic', score: 0.97, threshold: 0.95 }],
    scores: { toxic: 0.97, hate: 0.1, spam: 0.02 },
    model: 'sluice-default@1.0.0',
    policy: 'default@1',
    created_at: TIME,
    produced_at: TIME,
    received_at: TIME,
    decided_at: TIME,
    version: String(offset).padStart(16, '0'),
    position: { topic: 'bench', partition: 0, offset },
    timings: { wait: 1, decode: 1, classify: 10 },
  };
}

import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { onTestFinished, vi } from 'vitest';
import type { z } from 'zod';
import type { Resolve } from '../../../src/sinks/webhooks/agent.ts';
import { webhooksSinkConfig, type WebhooksConfig } from '../../../src/sinks/webhooks/config.ts';
import type { DeliveryEvents } from '../../../src/sinks/webhooks/delivery-events.ts';
import { createDelivery, type Delivery } from '../../../src/sinks/webhooks/delivery.ts';
import { createWebhooksSink } from '../../../src/sinks/webhooks/webhooks-sink.ts';
import type { Sink } from '../../../src/sinks/sink.ts';
import { SECRET } from './receiver.ts';

type SinkInput = z.input<typeof webhooksSinkConfig>;

/** A URL, or what an endpoint has beside the test's own secret. */
export type EndpointInput = string | (Partial<SinkInput['endpoints'][string]> & { url: string });

/** Waits between attempts that a test can wait for. */
export const FAST = ['50ms', '50ms', '50ms', '50ms', '50ms'];

/** A configuration with keys of its own in the shared Redis; http and this machine are allowed. */
export function configOf(
  endpoints: Record<string, EndpointInput>,
  more: Partial<SinkInput> = {},
): WebhooksConfig {
  return webhooksSinkConfig.parse({
    type: 'webhooks',
    redis: process.env['SLUICE_REDIS']!,
    prefix: `test-${randomUUID().slice(0, 8)}`,
    allow_http: true,
    allow_private: ['127.0.0.0/8'],
    retry: FAST,
    endpoints: Object.fromEntries(
      Object.entries(endpoints).map(([name, endpoint]) => [
        name,
        { secrets: [SECRET], ...(typeof endpoint === 'string' ? { url: endpoint } : endpoint) },
      ]),
    ),
    ...more,
  });
}

/** Events by name, as they came. */
export type RecordedEvents = {
  readonly [Name in keyof DeliveryEvents]: Parameters<DeliveryEvents[Name]>[0][];
};

/** A sink and its deliveries, ended after the test. */
export interface Hooks {
  readonly config: WebhooksConfig;
  readonly sink: Sink;
  readonly events: RecordedEvents;
  /** Starts a process's deliveries; also a second one's. */
  deliver(options?: { resolve?: Resolve }): Delivery;
  readonly redis: Redis;
}

/** Opens a sink of that configuration; its keys are removed after the test. */
export function openHooks(config: WebhooksConfig, name = 'hooks'): Hooks {
  const at = `sinks.${name}`;
  const sink = createWebhooksSink({ config, name, at });
  const redis = new Redis(config.redis);
  redis.on('error', () => undefined);
  const recorded: Record<string, unknown[]> = {};
  const events = new Proxy(recorded, {
    get: (target, event: string) => (fields: unknown) => void (target[event] ??= []).push(fields),
  }) as unknown as DeliveryEvents;
  const open: Delivery[] = [];
  onTestFinished(async () => {
    await Promise.all(open.map((delivery) => delivery.stop(100)));
    await sink.close();
    const keys = await redis.keys(`${config.prefix}:*`).catch(() => []);
    if (keys.length > 0) await redis.del(keys);
    redis.disconnect();
  });
  return {
    config,
    sink,
    redis,
    events: new Proxy(recorded, {
      get: (target, event: string) => target[event] ?? [],
    }) as unknown as RecordedEvents,
    deliver({ resolve } = {}) {
      const delivery = createDelivery({ config, name, at, events, ...(resolve ? { resolve } : {}) });
      open.push(delivery);
      delivery.start();
      return delivery;
    },
  };
}

/** Waits for what a test expects. */
export function eventually<Result>(check: () => Result | Promise<Result>, timeout = 20_000): Promise<Result> {
  return vi.waitFor(check, { timeout, interval: 20 });
}

/** A signal that nobody aborts. */
export const signal = new AbortController().signal;

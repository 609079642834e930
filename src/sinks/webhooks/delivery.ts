import { setTimeout as delay } from 'node:timers/promises';
import { messageOf } from '../../errors.ts';
import { createAddressCheck } from './address.ts';
import { createAgent, type Resolve } from './agent.ts';
import type { WebhooksConfig } from './config.ts';
import type { DeliveryEvents } from './delivery-events.ts';
import { endpointStatus } from './endpoint-status.ts';
import { createEndpointWorker, type EndpointWorker } from './endpoint-worker.ts';
import { wakeChannel } from './queue.ts';
import { checkRedis } from './redis-check.ts';
import { createRedis } from './redis.ts';

/** Wait before Redis is asked again, milliseconds. */
const RETRY_MILLIS = 1_000;

/** Sends the webhooks of one sink. Any number of processes may, at the same time. */
export interface Delivery {
  /** Proves that Redis can be used; throws as a sink's check does. */
  check(): Promise<void>;
  /** Begins to send, once Redis answers. */
  start(): void;
  /** Reads what the queues hold, for metrics; says nothing when Redis does not answer. */
  measure(): Promise<void>;
  /** Why nothing is sent now; undefined when it is. */
  unready(): string | undefined;
  /** Takes nothing more, waits up to `limit` milliseconds for what is under way, then gives that back. */
  stop(limit: number): Promise<void>;
}

/** What {@link createDelivery} is made of. */
export interface DeliveryOptions {
  readonly config: WebhooksConfig;
  /** Name of the sink in the configuration. */
  readonly name: string;
  readonly at: string;
  readonly events: DeliveryEvents;
  readonly resolve?: Resolve;
}

/**
 * One connection for all endpoints, one on which they are woken. Endpoints share the process and nothing else: each has its own queue,
 * its own limits and its own breaker.
 */
export function createDelivery({ config, name, at, events, resolve }: DeliveryOptions): Delivery {
  const redis = createRedis({ url: config.redis, at: `${at}.redis` });
  const isAllowed = createAddressCheck(config.allow_private || []);
  const agent = createAgent({ isAllowed, ...(resolve ? { resolve } : {}) });
  const places = Object.entries(config.endpoints).map(([endpoint, settings]) => ({
    settings,
    place: { redis: redis.client, prefix: config.prefix, sink: name, endpoint },
  }));
  const workers = new Map<string, EndpointWorker>();
  // To be subscribed is to wait.
  const subscriber = redis.client.duplicate({ lazyConnect: true, commandTimeout: undefined });
  const stopping = new AbortController();
  let running: Promise<unknown> = Promise.resolve();
  let stopped: Promise<void> | undefined;

  // Its failures are the other connection's too, which tells them.
  subscriber.on('error', () => undefined);
  subscriber.on('ready', () => {
    subscriber.subscribe(wakeChannel(config.prefix, name)).catch(failed);
    // Nobody says what was missed.
    for (const worker of workers.values()) worker.wake();
  });
  subscriber.on('message', (_channel, message) => {
    for (const endpoint of message.split(',')) workers.get(endpoint)?.wake();
  });

  /** Workers are opened once there is a connection: one that meets none stays broken. */
  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        await redis.ready();
        break;
      } catch (error) {
        failed(error);
        await delay(RETRY_MILLIS, undefined, { signal: stopping.signal }).catch(() => undefined);
      }
    }
    if (stopping.signal.aborted) return;
    for (const { place, settings } of places) {
      const worker = createEndpointWorker({
        place,
        sink: config,
        endpoint: settings,
        dispatcher: agent,
        events,
      });
      workers.set(place.endpoint, worker);
    }
    // Without it endpoints look for work by themselves, only less often.
    subscriber.connect().catch(failed);
    await Promise.all([...workers.values()].map((worker) => worker.run()));
  }

  function failed(error: unknown): void {
    events.queueFailed({ sink: name, error: messageOf(error) });
  }

  return {
    async check() {
      await checkRedis({ url: config.redis, at: `${at}.redis`, prefix: config.prefix });
    },

    start() {
      running = run();
    },

    async measure() {
      if (redis.client.status !== 'ready') return;
      const reading = places.map(async ({ place }) => {
        const { counts, disabled, breaker } = await endpointStatus(place);
        events.measured({
          ...counts,
          endpoint: `${name}/${place.endpoint}`,
          disabled: disabled !== undefined,
          open: breaker.openings > 0,
        });
      });
      await Promise.all(reading).catch(failed);
    },

    unready: () =>
      redis.client.status === 'ready' ? undefined : `sink ${name}: no connection to Redis ${redis.address}`,

    stop(limit) {
      stopping.abort();
      stopped ??= (async () => {
        const all = [...workers.values()];
        for (const worker of all) worker.stop();
        const over = new AbortController();
        const late = delay(limit, undefined, { signal: over.signal }).then(
          () => all.forEach((worker) => worker.abandon()),
          () => undefined,
        );
        await running;
        over.abort();
        await late;
        await Promise.all(all.map((worker) => worker.close()));
        subscriber.disconnect();
        redis.close();
        await agent.destroy();
      })();
      return stopped;
    },
  };
}

import { setTimeout as delay } from 'node:timers/promises';
import { messageOf } from '../../errors.ts';
import { createAddressCheck } from './address.ts';
import { createAgent, type Resolve } from './agent.ts';
import type { WebhooksConfig } from './config.ts';
import type { DeliveryEvents } from './delivery-events.ts';
import { createEndpointWorker, type EndpointWorker } from './endpoint-worker.ts';
import { isTight } from './memory.ts';
import { wakeChannel } from './queue.ts';
import { checkRedis } from './redis-check.ts';
import { createRedis } from './redis.ts';

/** Wait before Redis is asked again, milliseconds. */
const RETRY_MILLIS = 1_000;
/** How long a scrape waits for what the queues hold, milliseconds. */
const MEASURE_MILLIS = 1_000;
/** How often it is looked whether Redis has room, milliseconds. */
const ROOM_MILLIS = 2_000;
/** How long what was given up may take to be given back to Redis, milliseconds. */
const GIVE_BACK_MILLIS = 500;

/** Sends the webhooks of one sink. Any number of processes may, at the same time. */
export interface Delivery {
  /** Proves that Redis can be used; throws as a sink's check does. */
  check(): Promise<void>;
  /** Begins to send, once Redis answers. */
  start(): void;
  /** Reads what the queues hold, for metrics; says nothing when Redis does not answer within a second. */
  measure(): Promise<void>;
  /** How many decisions could be sent now or are under way, and how many wait for their next attempt. */
  waiting(): Promise<{ readonly due: number; readonly later: number }>;
  /** Why nothing is sent now; undefined when it is. */
  unready(): string | undefined;
  /**
   * Takes nothing more, waits up to `limit` milliseconds for what is under way, then gives that back, for which Redis has half a
   * second.
   */
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
  let measuring: Promise<void> | undefined;
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
    const relieving = setInterval(() => void relieve().catch(failed), ROOM_MILLIS);
    await Promise.all([...workers.values()].map((worker) => worker.run()));
    clearInterval(relieving);
  }

  /** Where Redis has little room, what waits is worth more than to know what was delivered. */
  async function relieve(): Promise<void> {
    if (await isTight(redis.client))
      await Promise.all([...workers.values()].map((worker) => worker.relieve()));
  }

  async function readAll(): Promise<void> {
    const reading = places.map(async ({ place }) => {
      const status = await workers.get(place.endpoint)?.status();
      if (!status) return;
      const { counts, disabled, breaker } = status;
      events.measured({
        ...counts,
        endpoint: `${name}/${place.endpoint}`,
        disabled: disabled !== undefined,
        open: breaker.openings > 0,
      });
    });
    await Promise.all(reading);
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
      // A Redis that hangs is asked once, however often somebody scrapes.
      measuring ??= readAll()
        .catch(failed)
        .finally(() => {
          measuring = undefined;
        });
      await Promise.race([measuring, delay(MEASURE_MILLIS, undefined, { ref: false })]);
    },

    async waiting() {
      const counts = await Promise.all(
        [...workers.values()].map(async (worker) => (await worker.status()).counts),
      );
      const sum = (each: (count: (typeof counts)[number]) => number) =>
        counts.reduce((total, count) => total + each(count), 0);
      return { due: sum(({ waiting, active }) => waiting + active), later: sum(({ delayed }) => delayed) };
    },

    unready: () =>
      redis.client.status === 'ready' ? undefined : `sink ${name}: no connection to Redis ${redis.address}`,

    stop(limit) {
      stopping.abort();
      stopped ??= (async () => {
        const all = [...workers.values()];
        for (const worker of all) worker.stop();
        const over = new AbortController();
        const late = async () => {
          await delay(limit, undefined, { signal: over.signal });
          for (const worker of all) worker.abandon();
          await delay(GIVE_BACK_MILLIS, undefined, { signal: over.signal });
          // It hangs: what waits for its answer fails now, and the locks run out by themselves.
          redis.close();
        };
        const ending = late().catch(() => undefined);
        await running;
        over.abort();
        await ending;
        await Promise.all(all.map((worker) => worker.close()));
        subscriber.disconnect();
        redis.close();
        await agent.destroy();
      })();
      return stopped;
    },
  };
}

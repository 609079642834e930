/** Delivery of webhooks beside the pipeline, and as a process of its own. */
import { setTimeout as delay } from 'node:timers/promises';
import { loadConfig, type Config } from './config.ts';
import { MisconfiguredError, errorOf, isOperational } from './errors.ts';
import { createEvents, type Events } from './events.ts';
import { aborted, patiently } from './lifecycle.ts';
import { startServer } from './server.ts';
import { onStopSignal } from './signals.ts';
import type { SinkConfig } from './sinks/index.ts';

/** How often it is looked whether everything is sent, and how long nothing may move meanwhile; milliseconds. */
const DRAIN_MILLIS = 100;
const STILL_MILLIS = 3_000;

/** The deliveries of several sinks as one. */
export interface Deliveries {
  /** See `Delivery` of src/sinks/webhooks/delivery.ts for each of these. */
  check(): Promise<void>;
  start(): void;
  measure(): Promise<void>;
  /**
   * Waits up to `limit` milliseconds, and no longer than something moves, until everything that is due is sent. Resolves with how
   * many decisions still wait in Redis.
   */
  drain(limit: number): Promise<number>;
  unready(): string | undefined;
  stop(limit: number): Promise<void>;
}

/** The webhooks sinks of a configuration, by name. */
export function webhooksOf({ sinks }: Config) {
  return Object.entries(sinks).flatMap(([name, config]) => (isWebhooks(config) ? [{ name, config }] : []));
}

function isWebhooks(sink: SinkConfig): sink is Extract<SinkConfig, { type: 'webhooks' }> {
  return sink.type === 'webhooks';
}

/** Deliveries for the webhooks sinks that `which` names: all, or those that `sluice run` sends. Nothing is connected yet. */
export async function openDeliveries(
  config: Config,
  events: Events,
  which: 'all' | 'in_run',
): Promise<Deliveries> {
  const sinks = webhooksOf(config).filter((sink) => which === 'all' || sink.config.deliver === which);
  const opened = sinks.map(async ({ name, config: sink }) => {
    const { createDelivery } = await import('./sinks/webhooks/delivery.ts');
    return createDelivery({ config: sink, name, at: `sinks.${name}`, events: events.webhooks });
  });
  const all = await Promise.all(opened);
  return {
    async check() {
      await Promise.all(all.map((each) => each.check()));
    },
    start: () => all.forEach((each) => each.start()),
    async measure() {
      await Promise.all(all.map((each) => each.measure()));
    },
    async drain(limit) {
      const end = performance.now() + limit;
      let last = Infinity;
      let movedAt = performance.now();
      for (;;) {
        // What a Redis that is away holds is as safe as what it says.
        const counts = await Promise.all(all.map((each) => each.waiting())).catch(() => []);
        const due = counts.reduce((sum, count) => sum + count.due, 0);
        const now = performance.now();
        if (due < last) movedAt = now;
        last = due;
        if (due === 0 || now >= end || now - movedAt > STILL_MILLIS)
          return due + counts.reduce((sum, count) => sum + count.later, 0);
        await delay(DRAIN_MILLIS);
      }
    },
    unready: () => all.map((each) => each.unready()).find((reason) => reason !== undefined),
    async stop(limit) {
      await Promise.all(all.map((each) => each.stop(limit)));
    },
  };
}

/** `sluice deliver`: sends the webhooks of all sinks until SIGTERM or SIGINT, then ends what is under way. */
export async function deliver(file: string, flags: { readonly listen?: string } = {}): Promise<void> {
  const config = loadConfig(file);
  const { listen = config.server.listen } = flags;
  if (webhooksOf(config).length === 0)
    throw new MisconfiguredError(`${file}: expected a sink of type webhooks, got none`);
  const events = createEvents(config.log.level);
  const stopping = new AbortController();
  const off = onStopSignal((signal) => {
    events.stopRequested(signal);
    stopping.abort();
  });
  const deliveries = await openDeliveries(config, events, 'all');
  let isStarted = false;
  const server =
    listen === 'off'
      ? undefined
      : await startServer({
          listen,
          ...(flags.listen === undefined ? {} : { at: '--listen' }),
          metrics: events.metrics,
          refresh: () => (isStarted ? deliveries.measure() : undefined),
          unready: () =>
            isStarted && !stopping.signal.aborted ? deliveries.unready() : 'starting, or stopping',
        });
  if (server) events.serverStarted(server.address);
  try {
    await patiently(() => deliveries.check(), {
      signal: stopping.signal,
      onDelay: (error) => events.startDelayed(error),
    });
    deliveries.start();
    isStarted = true;
    events.webhooks.started({ endpoints: webhooksOf(config).flatMap(labelsOf).length });
    await aborted(stopping.signal);
  } catch (error) {
    if (!stopping.signal.aborted) {
      events.pipelineFailed(errorOf(error), isOperational(error));
      throw error;
    }
  } finally {
    await deliveries.stop(config.stop_timeout);
    await server?.close();
    off();
  }
  events.webhooks.stopped();
}

/** `sink/endpoint` of each endpoint. */
function labelsOf({ name, config }: ReturnType<typeof webhooksOf>[number]): string[] {
  return Object.keys(config.endpoints).map((endpoint) => `${name}/${endpoint}`);
}

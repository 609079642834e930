import { Hono } from 'hono';
import { startListener } from './listener.ts';
import type { Metrics } from './metrics.ts';

/** What the operations server shows. */
export interface ServerOptions {
  /** `host:port`; port 0 takes a free one. */
  readonly listen: string;
  /** Key of the configuration that names it, for errors. */
  readonly at?: string;
  readonly metrics: Metrics;
  /** Called before each scrape, to set what is measured on demand. */
  readonly refresh: () => void | Promise<void>;
  /** Why the pipeline is not ready for traffic or stuck; undefined when it works. */
  readonly unready: () => string | undefined;
}

/** A server for Prometheus and Kubernetes. */
export interface Server {
  /** `http://host:port`. */
  readonly address: string;
  close(): Promise<void>;
}

/**
 * `/metrics` in Prometheus' text format; `/live`: 200 as long as the event loop turns; `/ready`: 200, or 503 and the
 * reason. Throws MisconfiguredError when the address cannot be taken.
 */
export async function startServer({
  listen,
  at = 'server.listen',
  metrics,
  refresh,
  unready,
}: ServerOptions): Promise<Server> {
  const app = new Hono();
  app.get('/live', (context) => context.text('live\n'));
  app.get('/ready', (context) => {
    const reason = unready();
    return reason === undefined ? context.text('ready\n') : context.text(`not ready: ${reason}\n`, 503);
  });
  app.get('/metrics', async (context) => {
    await refresh();
    return context.body(await metrics.registry.metrics(), 200, {
      'content-type': metrics.registry.contentType,
    });
  });
  const listener = await startListener({ app, listen, at });
  return { address: listener.address, close: () => listener.close() };
}

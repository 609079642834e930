import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { MisconfiguredError, messageOf } from './errors.ts';
import type { Metrics } from './metrics.ts';

/** What the operations server shows. */
export interface ServerOptions {
  /** `host:port`; port 0 takes a free one. */
  readonly listen: string;
  readonly metrics: Metrics;
  /** Called before each scrape, to set what is measured on demand. */
  readonly refresh: () => void;
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
export async function startServer({ listen, metrics, refresh, unready }: ServerOptions): Promise<Server> {
  const app = new Hono();
  app.get('/live', (context) => context.text('live\n'));
  app.get('/ready', (context) => {
    const reason = unready();
    return reason === undefined ? context.text('ready\n') : context.text(`not ready: ${reason}\n`, 503);
  });
  app.get('/metrics', async (context) => {
    refresh();
    return context.body(await metrics.registry.metrics(), 200, {
      'content-type': metrics.registry.contentType,
    });
  });
  const at = listen.lastIndexOf(':');
  const hostname = listen.slice(0, at).replace(/^\[|\]$/g, '');
  const port = Number(listen.slice(at + 1));
  return new Promise((resolve, reject) => {
    const server = serve({ fetch: app.fetch, hostname, port }, (info: AddressInfo) => {
      const host = info.family === 'IPv6' ? `[${info.address}]` : info.address;
      resolve({
        address: `http://${host}:${info.port}`,
        close: () =>
          new Promise((closed) => {
            server.close(() => closed());
            if ('closeAllConnections' in server) server.closeAllConnections();
          }),
      });
    });
    server.on('error', (error) =>
      reject(
        new MisconfiguredError(`server.listen: expected a free address, got ${listen}: ${messageOf(error)}`),
      ),
    );
  });
}

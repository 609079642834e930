import type { Server as NodeServer, ServerOptions } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import { MisconfiguredError, messageOf } from './errors.ts';

/** What {@link startListener} needs. */
export interface ListenOptions {
  readonly app: Pick<Parameters<typeof serve>[0], 'fetch'>;
  /** `host:port`; port 0 takes a free one. */
  readonly listen: string;
  /** Key of the configuration that names the address, for errors. */
  readonly at: string;
  /** Time limits and the like, as Node's `http.createServer` takes them. */
  readonly serverOptions?: ServerOptions;
}

/** A server that answers. */
export interface Listener {
  /** `http://host:port`. */
  readonly address: string;
  readonly server: NodeServer;
  /** Takes no more connections; resolves when the last one has ended. */
  drain(): Promise<void>;
  /** Ends all connections at once. */
  close(): Promise<void>;
}

/** Serves over HTTP. Throws MisconfiguredError when the address cannot be taken. */
export function startListener({ app, listen: wanted, at, serverOptions }: ListenOptions): Promise<Listener> {
  const colon = wanted.lastIndexOf(':');
  const hostname = wanted.slice(0, colon).replace(/^\[|\]$/g, '');
  const port = Number(wanted.slice(colon + 1));
  return new Promise((resolve, reject) => {
    const options = { fetch: app.fetch, hostname, port, ...(serverOptions ? { serverOptions } : {}) };
    // Without TLS it is a server of HTTP/1.1.
    const server = serve(options, (info: AddressInfo) => {
      const host = info.family === 'IPv6' ? `[${info.address}]` : info.address;
      const drain = () => new Promise<void>((ended) => void server.close(() => ended()));
      resolve({
        address: `http://${host}:${info.port}`,
        server,
        drain,
        close() {
          const ended = drain();
          server.closeAllConnections();
          return ended;
        },
      });
    }) as NodeServer;
    server.on('error', (error) =>
      reject(new MisconfiguredError(`${at}: expected a free address, got ${wanted}: ${messageOf(error)}`)),
    );
  });
}

import type { Socket } from 'node:net';
import { startListener, type Listener } from '../listener.ts';
import { createApp, type AppOptions } from './app.ts';
import { errorBody, type RefusalStatus } from './http-refusal.ts';

/** Longer than load balancers keep idle connections (60 s for most), so that it is they who close them. */
const KEEP_ALIVE = 65_000;
const STATUS_TEXTS: Partial<Record<RefusalStatus, string>> = {
  400: 'Bad Request',
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
};

/**
 * Serves the API at its address, with limits on what clients may take: time to send a request, connections. Throws
 * MisconfiguredError when the address cannot be taken.
 */
export async function serveApi(options: Omit<AppOptions, 'unavailable'>): Promise<Listener> {
  const { config } = options;
  let draining = false;
  const app = createApp({
    ...options,
    unavailable: () => (draining ? 'The server is stopping.' : undefined),
  });
  const listener = await startListener({
    app,
    listen: config.listen,
    at: 'api.listen',
    serverOptions: {
      headersTimeout: config.read_timeout,
      requestTimeout: config.read_timeout,
      connectionsCheckingInterval: Math.max(50, Math.min(1000, config.read_timeout / 4)),
      keepAliveTimeout: KEEP_ALIVE,
    },
  });
  const { server } = listener;
  server.maxConnections = config.max_connections;
  server.on('clientError', refuseConnection);
  return {
    ...listener,
    drain() {
      draining = true;
      return listener.drain();
    },
  };
}

/** What is no HTTP, is too slow, or has too long a header never becomes a request. */
function refuseConnection(error: NodeJS.ErrnoException, socket: Socket): void {
  const answers: Record<string, readonly [RefusalStatus, string]> = {
    ERR_HTTP_REQUEST_TIMEOUT: [408, 'The request was not sent in time.'],
    HPE_HEADER_OVERFLOW: [431, 'The header was too long.'],
  };
  const [status, reason] = answers[error.code ?? ''] ?? [400, 'The request was not HTTP.'];
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const body = JSON.stringify(errorBody([reason]));
  const head = [
    `HTTP/1.1 ${status} ${STATUS_TEXTS[status]}`,
    'Connection: close',
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

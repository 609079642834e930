import { connect } from 'node:net';
import type { ClientBase } from 'pg';

/** https://www.postgresql.org/docs/current/protocol-message-formats.html, CancelRequest: length, code, process, key. */
const LENGTH = 16;
const CODE = 80_877_102;

/** Where a client is connected to, and what the server gave it to cancel by; pg has them, its types do not. */
interface Cancellable {
  readonly host: string;
  readonly port: number;
  readonly processID: number | null;
  readonly secretKey: number | null;
}

/**
 * Asks the server to end what a client is asking it, on a connection of its own: closing the client's would leave the backend
 * where it waits for a lock, with its place in `max_connections`. Resolves when the server has passed it on, or after
 * `timeout` milliseconds; what it does not reach ends by `statement_timeout`. Never encrypted, as libpq's PQcancel.
 */
export async function cancelStatement(client: ClientBase, timeout: number): Promise<void> {
  const { host, port, processID, secretKey } = client as unknown as Cancellable;
  if (processID === null || secretKey === null) return;
  const request = Buffer.alloc(LENGTH);
  request.writeInt32BE(LENGTH, 0);
  request.writeInt32BE(CODE, 4);
  request.writeInt32BE(processID, 8);
  request.writeInt32BE(secretKey, 12);
  // A host that is a directory has the server's Unix socket.
  const socket = connect(host.startsWith('/') ? { path: `${host}/.s.PGSQL.${port}` } : { host, port });
  await new Promise<void>((resolve) => {
    socket.on('connect', () => socket.write(request)).resume();
    // The server answers by closing. A failure says nothing new: the client's own connection has it too.
    socket.on('error', () => resolve()).on('close', () => resolve());
    socket.setTimeout(timeout, () => resolve());
  });
  socket.destroy();
}

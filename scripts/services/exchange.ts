import { createConnection } from 'node:net';
import { HOST } from './ports.ts';

const TIMEOUT_MS = 2000;

/**
 * Sends a request to a port and resolves with what `judge` says of the bytes that came back so far, as soon as that is not
 * undefined. False when nothing listens there, the server hangs up, or it stays silent for two seconds.
 */
export function exchange(
  port: number,
  request: string | Buffer,
  judge: (answer: Buffer) => boolean | undefined,
): Promise<boolean> {
  return new Promise((done) => {
    const socket = createConnection(port, HOST);
    let answer = Buffer.alloc(0);
    const end = (healthy: boolean) => {
      socket.destroy();
      done(healthy);
    };
    socket.setTimeout(TIMEOUT_MS, () => end(false));
    socket.once('error', () => end(false));
    socket.once('close', () => end(false));
    socket.once('connect', () => socket.write(request));
    socket.on('data', (chunk) => {
      answer = Buffer.concat([answer, chunk]);
      const verdict = judge(answer);
      if (verdict !== undefined) end(verdict);
    });
  });
}

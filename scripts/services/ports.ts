import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { OperationalError } from '../../src/errors.ts';

/** Where all services listen. */
export const HOST = '127.0.0.1';

/** Below the ephemeral ports of Linux (32768) and macOS (49152): a client's own port never takes that of a stopped server. */
const LOWEST = 20_000;
const BEYOND = 32_000;
const ATTEMPTS = 200;

/** Whether nothing listens on that port. */
export function isFree(port: number): Promise<boolean> {
  return new Promise((done) => {
    const server = createServer();
    server.once('error', () => done(false));
    server.listen(port, HOST, () => server.close(() => done(true)));
  });
}

/** Whether nothing listens on that port, now or within some seconds: the last of a killed server may still be on its way out. */
export async function becomesFree(port: number): Promise<boolean> {
  for (let attempt = 0; attempt < 50; attempt++) {
    if (await isFree(port)) return true;
    await delay(100);
  }
  return false;
}

/** A free port for each name. Chosen at random, so that two processes that choose at the same time hardly ever meet. */
export async function choosePorts(names: readonly string[]): Promise<Record<string, number>> {
  const ports: Record<string, number> = {};
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const name = names.find((candidate) => !(candidate in ports));
    if (name === undefined) return ports;
    const port = randomInt(LOWEST, BEYOND);
    if (!Object.values(ports).includes(port) && (await isFree(port))) ports[name] = port;
  }
  throw new OperationalError(
    `expected free ports of ${HOST} between ${LOWEST} and ${BEYOND}, found none in ${ATTEMPTS} tries`,
  );
}

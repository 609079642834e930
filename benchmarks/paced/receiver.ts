import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import type { Decision } from '../../src/decision.ts';

/** The secret that requests are signed with. */
export const SECRET = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;

/** A decision and when its webhook came, milliseconds UTC. */
export interface Came {
  readonly at: number;
  readonly decision: Decision;
}

/** Receives webhooks on this machine and verifies each with Standard Webhooks' own library; `came`: by decision id. */
export async function startReceiver() {
  const came = new Map<string, Came>();
  const webhook = new Webhook(SECRET);
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const at = Date.now();
      const event = webhook.verify(
        Buffer.concat(parts).toString(),
        request.headers as Record<string, string>,
      );
      const { data } = event as { data: Decision };
      if (!came.has(data.id)) came.set(data.id, { at, decision: data });
      response.writeHead(204).end();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return { came, url, close: () => server.close() };
}

import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { onTestFinished } from 'vitest';

/** A request that a receiver got. */
export interface Received {
  readonly at: number;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** The `webhook-id`. */
  readonly id: string;
  /** Ids of its decisions. */
  readonly decisions: readonly string[];
}

/** A receiver on this machine. */
export interface Receiver {
  readonly url: string;
  readonly requests: Received[];
  /** Ids of all decisions that came, repeats included. */
  ids(): string[];
  /** How it answers from now on; the first answer is for the first request after this, the last one stays. */
  answer(...answers: readonly Answering[]): void;
}

/** A status, a status with headers, or anything that can be done with a response. */
export type Answering =
  | number
  | readonly [number, Record<string, string>]
  | ((response: ServerResponse, request: Received) => void);

/** A secret of the test's own. */
export const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

/**
 * Starts an HTTP receiver that answers 204, closed after the test. Each request is verified with the receivers' own library: one
 * that it does not take is answered 401.
 */
export async function startReceiver({
  secret = SECRET,
  port = 0,
}: { secret?: string; port?: number } = {}): Promise<Receiver> {
  const requests: Received[] = [];
  let answers: readonly Answering[] = [204];
  const webhook = new Webhook(secret);
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const body = Buffer.concat(parts).toString();
      const headers = request.headers as Record<string, string>;
      try {
        webhook.verify(body, headers);
      } catch (error) {
        response.writeHead(401).end(String(error));
        return;
      }
      const { data } = JSON.parse(body) as { data: { id: string } | { id: string }[] };
      const received = {
        at: Date.now(),
        path: request.url ?? '',
        headers: request.headers,
        body,
        id: headers['webhook-id']!,
        decisions: [data].flat().map(({ id }) => id),
      };
      requests.push(received);
      const [answer] = answers;
      if (answers.length > 1) answers = answers.slice(1);
      if (typeof answer === 'function') answer(response, received);
      else if (typeof answer === 'number') response.writeHead(answer).end();
      else response.writeHead(answer![0], answer![1]).end();
    });
  });
  await new Promise<void>((done) => server.listen(port, '127.0.0.1', done));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    requests,
    ids: () => requests.flatMap(({ decisions }) => decisions),
    answer: (...next) => {
      answers = next;
    },
  };
}

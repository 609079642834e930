import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { RetryableError } from '../../src/errors.ts';
import { openSink } from '../../src/sinks/open.ts';
import { sinkConfig } from '../../src/sinks/config.ts';

describe('a Redis URL that leads to another server', () => {
  it.each([
    ['redis', (url: string) => ({ type: 'redis', url })],
    [
      'webhooks',
      (redis: string) => ({
        type: 'webhooks',
        redis,
        endpoints: {
          a: { url: 'https://a.example/', secrets: [`whsec_${Buffer.alloc(32, 1).toString('base64')}`] },
        },
      }),
    ],
  ])('is told by the sink %s, and asked again: it may be a proxy', async (_name, config) => {
    const server = createServer((_request, response) => response.writeHead(502).end('<html>bad gateway'));
    server.on('clientError', (_error, socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const parsed = sinkConfig.parse(config(`redis://127.0.0.1:${port}`));
    const sink = await openSink(parsed, {
      at: 'sinks.s',
      kafka: () => {
        throw new Error('no brokers are needed');
      },
    });
    const error: unknown = await sink.check().catch((reason: unknown) => reason);
    await sink.close();
    expect(error).toBeInstanceOf(RetryableError);
    expect(String(error)).toMatch(
      /expected a Redis server, got an answer in another protocol|closed|EPIPE|ECONNRESET/,
    );
  });
});

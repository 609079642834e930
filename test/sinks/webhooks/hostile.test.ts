import { createServer } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createAddressCheck } from '../../../src/sinks/webhooks/address.ts';
import { createAgent, type ResolvedAddress } from '../../../src/sinks/webhooks/agent.ts';
import { post } from '../../../src/sinks/webhooks/post.ts';
import { sampleDecision } from '../../sample-decision.ts';
import { configOf, eventually, openHooks, signal } from './fixture.ts';
import { startReceiver } from './receiver.ts';

/** Names as an attacker's resolver gives them; it may answer differently each time. */
function resolver(answers: Record<string, (string | readonly string[])[]>) {
  const asked: string[] = [];
  return {
    asked,
    resolve: (name: string): Promise<ResolvedAddress[]> => {
      asked.push(name);
      const list = answers[name] ?? [];
      const next = list.length > 1 ? list.shift()! : list[0];
      if (next === undefined)
        return Promise.reject(
          Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), { code: 'ENOTFOUND' }),
        );
      return Promise.resolve(
        [next].flat().map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      );
    },
  };
}

/** Sends one request as a webhook is sent; nothing private is allowed unless `allowed` says so. */
async function send(
  url: string,
  options: { allowed?: string[]; resolve?: ReturnType<typeof resolver>['resolve']; timeout?: number } = {},
) {
  const { allowed = [], resolve, timeout = 5_000 } = options;
  const agent = createAgent({ isAllowed: createAddressCheck(allowed), ...(resolve ? { resolve } : {}) });
  onTestFinished(() => agent.destroy());
  return await post({ url, dispatcher: agent, headers: {}, body: '{}', timeout, signal });
}

/** A server of raw bytes. */
async function startTcp(onConnection: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    onConnection(socket);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

describe('hostile endpoints', () => {
  it.each([
    '127.0.0.1',
    'localhost',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '2130706433',
    '0x7f.1',
    '0177.0.0.1',
    '0',
    '[::]',
  ])('makes no connection to %s', async (host) => {
    const port = await startTcp(() => {
      throw new Error('connected');
    });
    const answer = await send(`http://${host}:${port}/`);
    expect(answer).toMatchObject({ status: null, error: { code: 'FORBIDDEN_ADDRESS' } });
  });

  it('makes no connection to names that stand for private addresses, and uses the public ones of a mixed list', async () => {
    const receiver = await startReceiver();
    const { port } = new URL(receiver.url);
    const { resolve } = resolver({
      'metadata.test': ['169.254.169.254'],
      'mixed.test': [['10.0.0.1', '127.0.0.1', 'fd00::1']],
    });
    expect((await send('http://metadata.test/', { resolve })).error).toEqual({
      code: 'FORBIDDEN_ADDRESS',
      detail: expect.stringContaining('metadata.test is 169.254.169.254'),
    });
    expect((await send(`http://mixed.test:${port}/`, { resolve })).error?.code).toBe('FORBIDDEN_ADDRESS');
    // This machine stands for a public address here.
    expect((await send(`http://mixed.test:${port}/`, { resolve, allowed: ['127.0.0.1/32'] })).status).toBe(
      401,
    );
  });

  it('connects to the address that was checked, whatever the name says the next time', async () => {
    const secret = await startReceiver();
    const { port } = new URL(secret.url);
    const names = resolver({ 'rebind.test': ['127.0.0.2', '127.0.0.1'] });
    // 127.0.0.2 is public here, 127.0.0.1 is not. Nobody listens at the first one.
    const options = { resolve: names.resolve, allowed: ['127.0.0.2/32'] };
    expect((await send(`http://rebind.test:${port}/`, options)).error?.code).toBe('ECONNREFUSED');
    expect(names.asked).toEqual(['rebind.test']);
    expect((await send(`http://rebind.test:${port}/`, options)).error?.code).toBe('FORBIDDEN_ADDRESS');
    expect(secret.requests).toEqual([]);
  });

  it('keeps to a connection that was checked, and checks the next one, when a name changes its address', async () => {
    // 127.0.0.2 is public here, 127.0.0.1 is not; both have the same port.
    const inside = await startReceiver();
    const port = Number(new URL(inside.url).port);
    let connections = 0;
    const outside = createServer((request, response) => {
      request.resume().on('end', () => response.writeHead(200).end('thanks'));
    });
    outside.on('connection', () => connections++);
    await new Promise<void>((done) => outside.listen(port, '127.0.0.2', done));
    onTestFinished(() => {
      outside.closeAllConnections();
      outside.close();
    });
    const names = resolver({ 'rebind.test': ['127.0.0.2', '127.0.0.1'] });
    const agent = createAgent({
      isAllowed: createAddressCheck(['127.0.0.2/32']),
      resolve: names.resolve,
    });
    onTestFinished(() => agent.destroy());
    const options = { url: `http://rebind.test:${port}/`, headers: {}, body: '{}', timeout: 5_000 };
    const again = () => post({ ...options, dispatcher: agent, signal });
    expect((await again()).status).toBe(200);
    expect(names.asked).toEqual(['rebind.test']);
    // From now on the name is 127.0.0.1: what arrives goes by the first connection.
    await eventually(async () => expect((await again()).status).toBe(200));
    expect(connections).toBe(1);
    outside.closeAllConnections();
    await eventually(async () => expect((await again()).error?.code).toBe('FORBIDDEN_ADDRESS'));
    expect([connections, inside.requests]).toEqual([1, []]);
  });

  it('follows no redirect and takes no proxy from the environment', async () => {
    const [receiver, inside] = [await startReceiver(), await startReceiver()];
    receiver.answer([307, { location: inside.url }]);
    const proxies = ['HTTP_PROXY', 'http_proxy', 'ALL_PROXY'];
    for (const name of proxies) process.env[name] = inside.url;
    onTestFinished(() => proxies.forEach((name) => delete process.env[name]));
    const hooks = openHooks(configOf({ acme: receiver.url }, { retry: [] }));
    hooks.deliver();
    await hooks.sink.deliver([sampleDecision(1)], signal);
    await eventually(() => expect(hooks.events.exhausted).toMatchObject([{ result: '307' }]));
    expect(inside.requests).toEqual([]);
  });

  it('cuts bodies that never end, by size and by time, and takes the status that came', async () => {
    const head = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n';
    let sent = 0;
    const flood = await startTcp((socket) => {
      socket.write(head);
      const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`;
      const push = () => {
        while (!socket.destroyed && (sent += chunk.length) && socket.write(chunk));
      };
      socket.on('drain', push);
      push();
    });
    const flooded = await send(`http://127.0.0.1:${flood}/`, { allowed: ['127.0.0.1/32'] });
    expect([flooded.status, flooded.text.length]).toEqual([200, 65_536]);
    expect(sent).toBeLessThan(64 * 1024 ** 2);

    let closed = false;
    const drip = await startTcp((socket) => {
      socket.write(head);
      const timer = setInterval(() => socket.write('1\r\nx\r\n'), 20);
      socket.on('close', () => {
        clearInterval(timer);
        closed = true;
      });
    });
    expect(
      (await send(`http://127.0.0.1:${drip}/`, { allowed: ['127.0.0.1/32'], timeout: 60_000 })).status,
    ).toBe(200);
    await eventually(() => expect(closed).toBe(true));
  });

  it('waits no longer than the time-out for slow headers, endless headers, silence, and bytes that are no HTTP', async () => {
    const allowed = ['127.0.0.1/32'];
    const slow = await startTcp((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n');
      const timer = setInterval(() => socket.write('x-a: b\r\n'), 20);
      socket.on('close', () => clearInterval(timer));
    });
    expect((await send(`http://127.0.0.1:${slow}/`, { allowed, timeout: 300 })).error?.code).toBe('timeout');
    const endless = await startTcp((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n');
      const push = () => {
        while (!socket.destroyed && socket.write(`x-a: ${'b'.repeat(1000)}\r\n`));
      };
      socket.on('drain', push);
      push();
    });
    expect((await send(`http://127.0.0.1:${endless}/`, { allowed, timeout: 30_000 })).error?.code).toBe(
      'UND_ERR_HEADERS_OVERFLOW',
    );
    const silent = await startTcp(() => undefined);
    expect((await send(`http://127.0.0.1:${silent}/`, { allowed, timeout: 300 })).error?.code).toBe(
      'timeout',
    );
    const noise = await startTcp((socket) => socket.end('SSH-2.0-OpenSSH_9.6\r\n'));
    expect((await send(`http://127.0.0.1:${noise}/`, { allowed })).error?.code).toBe('HTTPParserError');
    const name = await send('http://nowhere.test/', { resolve: resolver({}).resolve });
    expect(name.error?.code).toBe('ENOTFOUND');
  });
});

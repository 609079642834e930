import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { KafkaMessage } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { recordsOf } from '../ingest/kafka-records.ts';
import { KEYS, openApi, received, type Answer, type ApiFixture } from './api-fixture.ts';

const BODY = { id: 'p1', type: 'post', user_id: 'u1', content: { text: 'Some content', format: 'plain' } };
const FLAG = { id: 'f1', flagger_id: 'u2', reasons: ['crisis'] };
const JSON_HEADERS = `Authorization: ${KEYS.acme}\r\nContent-Type: application/json\r\n`;
const head = (headers: string) => `POST /track/content HTTP/1.1\r\nHost: x\r\n${headers}`;

const plain = ({ key, value, headers }: KafkaMessage) => ({
  key: String(key),
  value: JSON.parse(String(value)) as Record<string, unknown>,
  customer: String(headers?.['customer']),
});

describe('HTTP API', () => {
  let api: ApiFixture;
  beforeAll(async () => {
    api = await openApi({ max_body: '8KiB', read_timeout: '1s' });
  });
  afterAll(() => api.remove());

  /** What a topic holds after the first `from` records. */
  async function countOf({ admin, topic }: ApiFixture['content']): Promise<number> {
    return (await admin.fetchTopicOffsets(topic)).reduce((sum, { high }) => sum + Number(high), 0);
  }

  it('has content on the brokers when it answers', async () => {
    const before = await countOf(api.content);
    const { status, body } = await api.post('/track/content', BODY);
    expect([status, await countOf(api.content)]).toEqual([200, before + 1]);
    const records = await recordsOf(api.content.topic, before + 1);
    const record = records.find(({ key }) => String(key) === 'acme/p1')!;
    expect(plain(record)).toEqual({
      key: 'acme/p1',
      customer: 'acme',
      value: { ...BODY, content: { format: 'plain' }, text: 'Some content', customer: 'acme' },
    });
    expect(body).toEqual({
      id: 'p1',
      decision_id: expect.stringMatching(new RegExp(`^${api.content.topic}-\\d-${record.offset}$`)),
    });
  });

  it('tells of each message where it stands, however many come at once', async () => {
    const before = await countOf(api.content);
    const ids = Array.from({ length: 400 }, (_, n) => `many-${n}`);
    const answers = await Promise.all(ids.map((id) => api.post('/track/content', { ...BODY, id })));
    const records = await recordsOf(api.content.topic, before + ids.length);
    const offsets = new Map(records.map((each) => [String(each.key), each.offset]));
    for (const { status, body } of answers) {
      const { id, decision_id } = body as { id: string; decision_id: string };
      expect([id, status, decision_id.split('-').at(-1)]).toEqual([id, 200, offsets.get(`acme/${id}`)]);
    }
  });

  it('makes one message of the feedback topic for each target', async () => {
    const before = await countOf(api.feedback);
    const targets = [{ content_id: 'p1' }, { content_id: 'p2' }];
    const bodies = {
      flag: { ...FLAG, targets },
      moderation: { id: 'm1', moderator_id: 'mod', action: 'user_warned', automated: true, targets },
      appeal: { id: 'a1', appellant_id: 'u1', note: 'a quote', targets },
    };
    for (const [kind, body] of Object.entries(bodies))
      expect(await api.post(`/track/${kind}`, body)).toMatchObject({ status: 200, body: { id: body.id } });
    const records = (await recordsOf(api.feedback.topic, before + 6)).map(plain);
    for (const [kind, { targets: _, ...body }] of Object.entries(bodies)) {
      const own = records.filter(({ value }) => value['id'] === body.id);
      const { flagger_id, moderator_id, appellant_id, ...rest } = body as Record<string, unknown>;
      const actor_id = flagger_id ?? moderator_id ?? appellant_id;
      const expected = targets.map(({ content_id }) => ({
        key: `acme/${content_id}`,
        customer: 'acme',
        value: { ...rest, kind, customer: 'acme', actor_id, content_id },
      }));
      expect(own).toHaveLength(2);
      expect(own).toEqual(expect.arrayContaining(expected));
    }
  });

  it.each([
    ['no key', {}, /not present/],
    ['an unknown key', { authorization: 'nobody-0123456789' }, /not known/],
    ['a key of another scheme', { authorization: `Basic ${KEYS.acme}` }, /not known/],
  ])('answers 401 to %s, whatever the body', async (_, headers, reason) => {
    const before = await countOf(api.content);
    const response = await fetch(`${api.address}/track/content`, { method: 'POST', headers, body: '{' });
    expect([response.status, response.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
    expect(await response.json()).toMatchObject({ errors: [expect.stringMatching(reason)] });
    expect(await countOf(api.content)).toBe(before);
  });

  it('takes the customer from the key', async () => {
    const bearer = { headers: { authorization: `Bearer ${KEYS.beta}` } };
    expect(await api.post('/track/content', { ...BODY, customer: 'acme' }, bearer)).toMatchObject({
      status: 403,
      body: { errors: ['Property customer was not the customer of the key.'] },
    });
    await api.post('/track/content', { ...BODY, id: 'of-beta' }, bearer);
    const records = await recordsOf(api.content.topic, await countOf(api.content));
    expect(records.map(plain).filter(({ customer }) => customer === 'beta')).toMatchObject([
      { key: 'beta/of-beta', value: { customer: 'beta' } },
    ]);
  });

  it.each([
    ['what is not JSON', '{"id":', 400, 'The body is not JSON.'],
    ['what nests too deeply', `{"a":${'['.repeat(100)}${']'.repeat(100)}}`, 400, /deeper than 64/],
    ['a missing property', { ...BODY, type: undefined }, 422, 'Required property type was not present.'],
    ['a time that is none', { ...BODY, created_at: 'yesterday' }, 422, /^created_at: expected ISO 8601/],
    ['a time too far ahead', { ...BODY, created_at: '2999-01-01T00:00:00Z' }, 422, /^created_at: .*later/],
  ])('refuses %s with the reason, and writes nothing', async (_, body, status, reason) => {
    const before = await countOf(api.content);
    const answer = await api.post('/track/content', body);
    const told = expect.stringMatching(reason);
    // Koko's Java client reads `errors`, the JavaScript one `error`.
    expect(answer).toMatchObject({ status, body: { errors: [told], error: [told] } });
    expect(await countOf(api.content)).toBe(before);
  });

  it('refuses feedback that would be a dead letter, and writes nothing', async () => {
    const before = await countOf(api.feedback);
    const body = { ...FLAG, targets: [{ content_id: 'p1' }, { content_id: 'p2' }], created_at: 'yesterday' };
    expect(await api.post('/track/flag', body)).toMatchObject({
      status: 422,
      body: { errors: [expect.stringMatching(/^created_at: expected ISO 8601/)] },
    });
    expect(await countOf(api.feedback)).toBe(before);
  });

  it('refuses other types, codings, methods, paths and waits', async () => {
    const post = (init: RequestInit, path = '/track/content') => api.post(path, BODY, init);
    const typed = (type: string) => post({ headers: { 'content-type': type } });
    expect((await typed('text/plain')).status).toBe(415);
    expect((await typed('application/json; charset=latin1')).status).toBe(415);
    expect((await typed('application/jsonx')).status).toBe(415);
    expect((await typed('application/json;charset=UTF-8')).status).toBe(200);
    expect((await typed('application/vnd.koko+json')).status).toBe(200);
    expect((await post({ headers: { 'content-encoding': 'gzip' } })).status).toBe(415);
    const put = await post({ method: 'PUT' });
    expect([put.status, put.headers.get('allow')]).toEqual([405, 'POST']);
    expect(await post({}, '/track/contents')).toMatchObject({
      status: 404,
      body: { errors: [expect.any(String)] },
    });
    expect((await post({}, '/track/content?wait=soon')).status).toBe(400);
  });

  it('refuses a long body by its length, before it is sent', async () => {
    const socket = api.socket();
    socket.write(head(`${JSON_HEADERS}Content-Length: 9000\r\n\r\n`));
    expect(await received(socket)).toMatch(/^HTTP\/1.1 413 [^]*longer than 8192 bytes/);
  });

  it('refuses an endless body while it comes', async () => {
    const socket = api.socket();
    const ended = received(socket);
    socket.write(head(`${JSON_HEADERS}Transfer-Encoding: chunked\r\n\r\n`));
    const chunk = `400\r\n${' '.repeat(1024)}\r\n`;
    for (let n = 0; n < 12; n++) socket.write(chunk);
    expect(await ended).toMatch(/^HTTP\/1.1 413 /);
  });

  it.each([
    ['nothing at all', '', ''],
    ['its header', 'POST /track/content HTTP/1.1\r\nHost: x\r\n', 'X: y\r\n'],
    ['its body', head(`${JSON_HEADERS}Content-Length: 500\r\n\r\n`), ' '],
    ['a chunked body', head(`${JSON_HEADERS}Transfer-Encoding: chunked\r\n\r\n`), '1\r\n \r\n'],
  ])('gives up a client that sends %s, byte by byte', async (_, start, drip) => {
    const socket = api.socket();
    socket.write(start);
    const dripping = setInterval(() => socket.write(drip), 100);
    const answer = await received(socket);
    clearInterval(dripping);
    expect(answer).toMatch(/^HTTP\/1.1 408 [^]*"errors":\["The request was not sent in time."\]/);
    await vi.waitFor(() => expect(api.inFlight()).toBe(0));
  });

  it('answers what is no HTTP, and headers without end, and goes on', async () => {
    for (const [sent, status] of [
      ['\x16\x03\x01\x02\x00\x01\x00', 400],
      [head(`X: ${'y'.repeat(20_000)}\r\n\r\n`), 431],
    ] as const) {
      const socket = api.socket();
      socket.write(sent);
      expect(await received(socket)).toMatch(new RegExp(`^HTTP/1.1 ${status} [^]*"errors":`));
    }
    expect((await api.post('/track/content', BODY)).status).toBe(200);
  });

  it('writes nothing for a client that goes away in the middle of its body', async () => {
    const before = await countOf(api.content);
    const socket = api.socket();
    socket.write(head(`${JSON_HEADERS}Content-Length: 500\r\n\r\n{"id":"gone"`));
    await vi.waitFor(() => expect(api.inFlight()).toBe(1));
    socket.destroy();
    await vi.waitFor(() => expect(api.inFlight()).toBe(0));
    await vi.waitFor(() => expect(api.served.at(-1)?.status).toBe(499));
    expect(await countOf(api.content)).toBe(before);
  });

  it('logs routes, statuses and reasons, and nothing that was sent', async () => {
    await api.post('/track/secret?key=secret', { secret: 1 });
    expect(api.served.at(-1)).toMatchObject({
      method: 'POST',
      route: '(none)',
      status: 404,
      client: '127.0.0.1',
    });
    await api.post('/track/flag?secret=1', { id: 'secret', reasons: 'secret' });
    expect(api.served.at(-1)).toMatchObject({
      route: '/track/flag',
      status: 422,
      customer: 'acme',
      reasons: expect.arrayContaining(['Required property flagger_id was not present.']),
    });
    const logged = JSON.stringify(api.served);
    expect(logged).not.toContain('secret');
    for (const key of Object.values(KEYS)) expect(logged).not.toContain(key);
  });

  it('describes itself by OpenAPI, with all of its routes', async () => {
    const document = (await (await fetch(`${api.address}/openapi.json`)).json()) as {
      paths: Record<string, { post: { requestBody: { content: Record<string, { schema: object }> } } }>;
    };
    expect(Object.keys(document.paths)).toEqual([
      '/track/content',
      '/track/flag',
      '/track/moderation',
      '/track/appeal',
    ]);
    for (const [path, { post }] of Object.entries(document.paths)) {
      expect(post.requestBody.content['application/json']!.schema).toMatchObject({
        type: 'object',
        required: expect.arrayContaining(['id']),
        properties: { id: { type: 'string' } },
      });
      expect((await api.post(path, {})).status).toBe(422);
    }
  });

  it('met no bug in all this', () => {
    expect(api.bugs).toEqual([]);
    expect(api.served.filter(({ status }) => status >= 500)).toEqual([]);
  });
});

describe('HTTP API under load', () => {
  const OF_BETA = { headers: { authorization: KEYS.beta } };
  const start = head(`${JSON_HEADERS}Content-Length: 500\r\n\r\n`);
  /** A request of acme that takes a place until its connection ends. */
  async function occupy(api: ApiFixture): Promise<Socket> {
    const before = api.inFlight();
    const socket = api.socket();
    socket.write(start);
    await vi.waitFor(() => expect(api.inFlight()).toBe(before + 1));
    return socket;
  }
  const refusalOf = ({ status, headers }: Answer) => [status, headers.get('retry-after')];

  it('answers 503 beyond the bound, until there is room again', async () => {
    const api = await openApi({ max_in_flight: 1 });
    const socket = await occupy(api);
    expect(refusalOf(await api.post('/track/content', BODY, OF_BETA))).toEqual([503, '1']);
    socket.destroy();
    await vi.waitFor(() => expect(api.inFlight()).toBe(0));
    expect((await api.post('/track/content', BODY, OF_BETA)).status).toBe(200);
    await api.remove();
  });

  it('answers 429 to a customer beyond its share, and takes what others send', async () => {
    const api = await openApi({ max_in_flight: 5, customer_share: 0.5 });
    const sockets = [await occupy(api), await occupy(api)];
    expect(refusalOf(await api.post('/track/content', BODY))).toEqual([429, '1']);
    expect((await api.post('/track/content', BODY, OF_BETA)).status).toBe(200);
    sockets[0]!.destroy();
    await vi.waitFor(() => expect(api.inFlight()).toBe(1));
    expect((await api.post('/track/content', BODY)).status).toBe(200);
    sockets[1]!.destroy();
    await api.remove();
  });

  it('lets a lone customer take everything', async () => {
    const api = await openApi({ max_in_flight: 2, keys: { acme: [KEYS.acme] } });
    const socket = await occupy(api);
    expect((await api.post('/track/content', BODY)).status).toBe(200);
    socket.destroy();
    await api.remove();
  });

  it('lets those who wait keep nobody from being taken, and beyond the bound of waits answers at once', async () => {
    const api = await openApi({ max_in_flight: 3, max_waits: 3, customer_share: 0.7, max_wait: '2m' });
    const wait = (id: string, init?: RequestInit) =>
      api.post('/track/content?wait=60s', { ...BODY, id }, init);
    const waiting = [wait('one'), wait('two')];
    await vi.waitFor(() => expect([api.inFlight(), api.waiting()]).toEqual([0, 2]));

    // Acme has its share of the waits, beta not; then nobody has room.
    expect([(await wait('three')).status, api.served.at(-1)!.wait]).toEqual([200, 'full']);
    waiting.push(wait('four', OF_BETA));
    await vi.waitFor(() => expect(api.waiting()).toBe(3));
    expect([(await wait('five', OF_BETA)).status, api.served.at(-1)!.wait]).toEqual([200, 'full']);

    const ends = await api.content.admin.fetchTopicOffsets(api.content.topic);
    for (const { partition, high } of ends)
      for (let offset = 0; offset < Number(high); offset++)
        await api.decide({ id: `${api.content.topic}-${partition}-${offset}` });
    for (const { status, body } of await Promise.all(waiting))
      expect([status, body['action']]).toEqual([200, 'block']);
    expect(api.waiting()).toBe(0);
    await api.remove();
  });

  it('closes connections beyond the bound', async () => {
    const api = await openApi({ max_connections: 1 });
    const first = api.socket();
    await once(first, 'connect');
    const second = api.socket();
    expect(await received(second)).toBe('');
    first.destroy();
    await vi.waitFor(async () => expect((await api.post('/track/content', BODY)).status).toBe(200), 5000);
    await api.remove();
  });
});

describe('HTTP API with fields of the configuration', () => {
  it('lets no body name another customer by them', async () => {
    const api = await openApi({}, { fields: { customer: ['tenant', 'customer'] } });
    expect(await api.post('/track/content', { ...BODY, tenant: 'beta' })).toMatchObject({
      status: 403,
      body: { errors: ['The body named another customer than that of the key.'] },
    });
    expect((await api.post('/track/content', { ...BODY, tenant: 'acme' })).status).toBe(200);
    await api.remove();
  });
});

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { KEYS, openApi, received, type ApiFixture } from './api-fixture.ts';

const BODY = { id: 'p1', type: 'post', content: { text: 'Some content' } };
const ASKING = { ...BODY, options: { classifiers: ['toxic', 'crisis'] } };

/** Position of the newest message of the content topic, once there is another one than before. */
function newestAfter(api: ApiFixture): Promise<() => Promise<string>> {
  const ends = async () =>
    new Map(
      (await api.content.admin.fetchTopicOffsets(api.content.topic)).map(({ partition, high }) => [
        partition,
        Number(high),
      ]),
    );
  return ends().then((before) => async () => {
    for (;;) {
      for (const [partition, end] of await ends())
        if (end > before.get(partition)!) return `${api.content.topic}-${partition}-${end - 1}`;
    }
  });
}

describe('waiting for the classification', () => {
  let api: ApiFixture;
  beforeAll(async () => {
    api = await openApi({ wait: '60s', max_wait: '90s' });
  });
  afterAll(() => api.remove());

  it.each([
    ['because the body asks for classifiers', '/track/content', ASKING],
    ['because the path says so', '/track/content?wait=60s', BODY],
  ])('answers with the decision on exactly this message, %s', async (_, path, body) => {
    const newest = await newestAfter(api);
    const waiting = api.post(path, body);
    const id = await newest();
    await api.decide({ id: `${id}9`, action: 'allow', scores: { toxic: 0.5 } });
    await api.decide({ id, scores: { toxic: 0.9812, spam: 0.01 } });
    const classification = [
      { label: 'toxic', confidence: 0.9812 },
      ...(path.includes('?') ? [{ label: 'spam', confidence: 0.01 }] : []),
    ];
    expect(await waiting).toMatchObject({
      status: 200,
      body: {
        id: 'p1',
        decision_id: id,
        classifiers: { id: 'p1', classification },
        action: 'block',
        reasons: [{ label: 'toxic', score: 0.9812, threshold: 0.95 }],
      },
    });
    expect(api.served.at(-1)?.wait).toBe('decided');
  });

  it('answers without it when it is not there in time', async () => {
    const { status, body } = await api.post('/track/content?wait=50ms', ASKING);
    expect([status, Object.keys(body)]).toEqual([200, ['id', 'decision_id']]);
    expect(api.served.at(-1)?.wait).toBe('late');
  });

  it.each([
    ['nothing asks for it', '/track/content', BODY],
    ['the path forbids it', '/track/content?wait=0', ASKING],
  ])('answers at once when %s', async (_, path, body) => {
    const { status, body: answer } = await api.post(path, body);
    expect([status, Object.keys(answer)]).toEqual([200, ['id', 'decision_id']]);
    expect(api.served.at(-1)?.wait).toBeUndefined();
  });

  it('gives its place back when the client goes away', async () => {
    const socket = api.socket();
    const body = JSON.stringify(ASKING);
    socket.write(
      `POST /track/content HTTP/1.1\r\nHost: x\r\nAuthorization: ${KEYS.acme}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    await vi.waitFor(() => expect([api.inFlight(), api.waiting()]).toEqual([0, 1]));
    socket.destroy();
    await vi.waitFor(() => expect(api.waiting()).toBe(0), 10_000);
    await vi.waitFor(() => expect(api.served.at(-1)).toMatchObject({ status: 499 }));
  });

  it('answers what is under way when it is stopped, and takes nothing more', async () => {
    const newest = await newestAfter(api);
    const waiting = api.post('/track/content', ASKING);
    const id = await newest();
    const kept = api.socket();
    const rest = received(kept);
    await vi.waitFor(() => expect(kept.connecting).toBe(false));
    const drained = api.drain();
    await expect(api.post('/track/content', BODY)).rejects.toThrow('fetch failed');
    kept.write(
      `POST /track/content HTTP/1.1\r\nHost: x\r\nAuthorization: ${KEYS.acme}\r\nContent-Length: 0\r\n\r\n`,
    );
    expect(await rest).toMatch(/^(HTTP\/1.1 503 [^]*connection: close[^]*stopping|$)/i);
    await api.decide({ id });
    const answer = await waiting;
    expect([answer.status, answer.body['decision_id'], answer.headers.get('connection')]).toEqual([
      200,
      id,
      'close',
    ]);
    await drained;
    expect(api.bugs).toEqual([]);
  });
});

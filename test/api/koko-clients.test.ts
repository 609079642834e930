import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KEYS, openApi, type ApiFixture } from './api-fixture.ts';

/*
 * How Koko's own clients call: the facts that a server must meet so that they work, each client in a few lines of our own.
 * All of them POST JSON with the bare key in `Authorization`.
 */
describe("Koko's clients", () => {
  let api: ApiFixture;
  beforeAll(async () => {
    api = await openApi();
  });
  afterAll(() => api.remove());

  async function call(path: string, options: object, auth = KEYS.acme) {
    const { hostname, port } = new URL(api.address);
    const headers = { Authorization: auth, 'Content-Type': 'application/json' };
    return new Promise<{ status: number; json: string }>((resolve, reject) => {
      request({ method: 'POST', hostname, port, path, headers })
        .on('error', reject)
        .on('response', (response) => {
          text(response).then((json) => resolve({ status: response.statusCode!, json }), reject);
        })
        // No Content-Length: Node then sends the body in chunks.
        .end(JSON.stringify(options));
    });
  }

  /** koko-ai-js 1: the status is not looked at; a body with `error`, a list of texts, is a failure, any other a success. */
  async function javascript(path: string, options: object, auth?: string): Promise<Record<string, unknown>> {
    const { json } = await call(path, options, auth);
    const data = JSON.parse(json) as Record<string, unknown>;
    if ('error' in data) throw new Error((data['error'] as string[]).join('\n'));
    return data;
  }

  /** koko-ai-java: every status but 200 is a failure, whose body has `errors`, a list of texts. */
  async function java(path: string, options: object): Promise<Record<string, unknown>> {
    const { status, json } = await call(path, options);
    const data = JSON.parse(json) as Record<string, unknown>;
    if (status !== 200) throw new Error((data['errors'] as string[]).join('\n'));
    return data;
  }

  /** koko-ai-ruby: 4xx means a wrong request; in its first versions only 200 is a success, and times are seconds. */
  async function ruby(path: string, options: object): Promise<unknown> {
    const { status, json } = await call(path, options);
    if (status === 200) return JSON.parse(json);
    throw new (status >= 400 && status < 500 ? TypeError : Error)(json);
  }

  const content = {
    id: '123',
    user_id: '123',
    type: 'post',
    content_type: 'text',
    content: { text: 'Some content' },
    created_at: new Date(1498070225000).toISOString(),
    context_id: '123',
  };
  const flag = {
    id: '123',
    flagger_id: '123',
    reasons: ['crisis'],
    created_at: new Date(1498070225000).toISOString(),
  };
  const moderation = { ...flag, flagger_id: undefined, moderator_id: '123', action: 'user_warned' };
  const target = { content_id: '123' };

  it('JavaScript: tracks, with one target and with several', async () => {
    expect(await javascript('/track/content', content)).toMatchObject({ id: '123' });
    for (const aim of [{ target }, { targets: [target] }]) {
      expect(await javascript('/track/flag', { ...flag, ...aim })).toEqual({ id: '123' });
      const moderated = { ...moderation, ...aim, automated: false };
      expect(await javascript('/track/moderation', moderated)).toEqual({ id: '123' });
    }
  });

  it('JavaScript: reads `classifiers.classification` when it asked for classifiers', async () => {
    const asking = { ...content, id: 'asked', options: { classifiers: ['crisis'] } };
    const { admin, topic } = api.content;
    const ends = () => admin.fetchTopicOffsets(topic);
    const before = await ends();
    const tracked = javascript('/track/content?wait=60s', asking);
    for (let told = false; !told;) {
      for (const { partition, high } of await ends()) {
        if (high === before.find((each) => each.partition === partition)?.high) continue;
        await api.decide({
          id: `${topic}-${partition}-${Number(high) - 1}`,
          scores: { crisis: 0.95, spam: 0 },
        });
        told = true;
      }
    }
    expect((await tracked)['classifiers']).toEqual({
      id: 'asked',
      classification: [{ label: 'crisis', confidence: 0.95 }],
    });
  });

  it('JavaScript: rejects what is refused, with the reason', async () => {
    const { type: _, ...untyped } = content;
    await expect(javascript('/track/content', untyped)).rejects.toThrow(
      'Required property type was not present.',
    );
    await expect(javascript('/track/content', content, 'nobody')).rejects.toThrow('The key is not known.');
  });

  it('Java: tracks, and throws the reasons of what is refused', async () => {
    const options = { classifiers: ['crisis'] };
    const body = { ...content, content: { text: '123', format: 'plain' }, group_id: '123', options };
    expect(await java('/track/content?wait=1', body)).toMatchObject({ id: '123' });
    expect(await java('/track/flag', { ...flag, targets: [target] })).toEqual({ id: '123' });
    expect(await java('/track/moderation', { ...moderation, targets: [target] })).toEqual({ id: '123' });
    for (const [path, tracked, name] of [
      ['/track/content', body, 'type'],
      ['/track/flag', { ...flag, targets: [target] }, 'flagger_id'],
      ['/track/moderation', { ...moderation, targets: [target] }, 'moderator_id'],
    ] as const)
      await expect(java(path, { ...tracked, [name]: undefined })).rejects.toThrow(
        new Error(`Required property ${name} was not present.`),
      );
  });

  it('Ruby: tracks with times as seconds, too, and tells wrong requests from failures', async () => {
    const created_at = 1498070225.5;
    expect(await ruby('/track/content', { ...content, created_at })).toMatchObject({ id: '123' });
    expect(await ruby('/track/flag', { ...flag, created_at, type: 'spam', targets: [target] })).toEqual({
      id: '123',
    });
    await expect(ruby('/track/flag', flag)).rejects.toThrow(TypeError);
  });
});

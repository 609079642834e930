import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { cacheDirectory } from '../../scripts/services/cache.ts';
import { ensureServices, removeServices, startService, stopService } from '../../scripts/services/index.ts';
import { RetryableError } from '../../src/errors.ts';
import { recordsOf } from '../ingest/kafka-records.ts';
import { openApi, type ApiFixture } from './api-fixture.ts';

/** A broker of its own, since these tests kill it. */
let directory: string;
const shared = { ...process.env };
beforeAll(async () => {
  const parent = join(cacheDirectory(), 'run');
  mkdirSync(parent, { recursive: true });
  directory = mkdtempSync(join(parent, 'test-'));
  const { environment } = await ensureServices(['kafka'], { directory });
  Object.assign(process.env, environment);
});
afterAll(async () => {
  await removeServices(['kafka'], { directory });
  rmSync(directory, { recursive: true, force: true });
  Object.assign(process.env, shared);
});

const BODY = { type: 'post', content: { text: 'Some content' } };

/** Sends content and decides on it, until an answer has its decision. */
async function decided(api: ApiFixture, id: string): Promise<void> {
  const answer = await vi.waitFor(async () => {
    const { status, body } = await api.post('/track/content', { ...BODY, id });
    expect(status).toBe(200);
    return body as { decision_id: string };
  }, 60_000);
  await vi.waitFor(() => api.decide({ id: answer.decision_id, content_id: id }), 60_000);
  // The one that was just told, to a request on the next message: decisions are read again.
  const partition = answer.decision_id.split('-').at(-2);
  const next = Number(answer.decision_id.split('-').at(-1)) + 1;
  const waiting = api.post('/track/content?wait=60s', { ...BODY, id });
  await api.decide({ id: `${api.content.topic}-${partition}-${next}`, content_id: id });
  expect((await waiting).body).toMatchObject({ id, action: 'block' });
}

describe('HTTP API without brokers', () => {
  it('answers 503 in bounded time, acknowledges nothing that is not stored, and goes on when they are back', async () => {
    const api = await openApi({ produce_timeout: '1500ms' });
    await decided(api, 'before');

    const acknowledged = new Set(['before']);
    const statuses = new Map<number, number>();
    let n = 0;
    async function send(): Promise<number> {
      const id = `post-${n++}`;
      const { status, headers } = await api.post('/track/content', { ...BODY, id });
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      if (status === 200) acknowledged.add(id);
      else expect([status, headers.get('retry-after')]).toEqual([503, '1']);
      return status;
    }
    let isSending = true;
    const senders = Array.from({ length: 8 }, async () => {
      while (isSending) await send();
    });
    await vi.waitFor(() => expect(acknowledged.size).toBeGreaterThan(50), 30_000);
    await stopService('kafka', { signal: 'SIGKILL', directory });
    await vi.waitFor(() => expect(statuses.get(503)).toBeGreaterThan(8), 60_000);
    await startService('kafka', { directory });
    const stored = acknowledged.size;
    await vi.waitFor(() => expect(acknowledged.size).toBeGreaterThan(stored + 50), 60_000);
    isSending = false;
    await Promise.all(senders);
    await decided(api, 'after');
    expect(api.failure()).toBeUndefined();

    const ends = await api.content.admin.fetchTopicOffsets(api.content.topic);
    const count = ends.reduce((sum, { high }) => sum + Number(high), 0);
    const keys = new Set((await recordsOf(api.content.topic, count)).map(({ key }) => String(key)));
    expect([...acknowledged].filter((id) => !keys.has(`acme/${id}`))).toEqual([]);
    // The reader of decisions told of the outage, and nothing worse.
    expect(api.bugs.filter(({ name }) => name !== 'RetryableError')).toEqual([]);
    await api.remove();
  });

  it('knows that they are away and that they are back, also when nobody sends anything any more', async () => {
    // One writes, and reads nothing; the other reads, and writes nothing.
    const [writer, reader] = await Promise.all([openApi({ produce_timeout: '1500ms' }), openApi()]);
    const post = () => writer.post('/track/content', { ...BODY, id: 'p' });
    expect((await post()).status).toBe(200);
    expect([writer.failure(), reader.failure()]).toEqual([undefined, undefined]);
    await stopService('kafka', { signal: 'SIGKILL', directory });
    expect((await post()).status).toBe(503);
    expect(writer.failure()).toBeInstanceOf(RetryableError);
    await vi.waitFor(() => expect(reader.failure()).toBeInstanceOf(RetryableError), 60_000);
    await startService('kafka', { directory });
    await vi.waitFor(
      () => expect([writer.failure(), reader.failure()]).toEqual([undefined, undefined]),
      60_000,
    );
    await Promise.all([writer.remove(), reader.remove()]);
  });
});

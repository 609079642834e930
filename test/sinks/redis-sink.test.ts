import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MisconfiguredError, RetryableError, StoreError } from '../../src/errors.ts';
import { redisSinkConfig } from '../../src/sinks/redis-sink-config.ts';
import { createRedisSink } from '../../src/sinks/redis-sink.ts';
import type { Score } from '../../src/sinks/score.ts';
import { scoresContract, type StoredScore } from '../contract/scores.ts';
import { sinkContract } from '../contract/sink.ts';
import { sampleDecision } from '../sample-decision.ts';
import { ownService, type OwnService } from '../services/own-service.ts';

let server: OwnService;
let client: Redis;

beforeAll(async () => {
  server = await ownService('redis');
  client = new Redis(server.address);
  client.on('error', () => undefined);
});
afterAll(async () => {
  client.disconnect();
  await server.close();
});

const sinkOf = (changes: object = {}) =>
  createRedisSink({
    config: redisSinkConfig.parse({ type: 'redis', url: server.address, ...changes }),
    at: 'sinks.scores',
  });
const freshPrefix = () => `test-${randomUUID()}:`;
const signal = () => AbortSignal.timeout(30_000);
const failureOf = (attempt: Promise<unknown>) =>
  attempt.then(
    () => undefined,
    (error: unknown) => error,
  );

/** Hashes as scores; what the server keeps beside them is the time that they still stay. */
async function rowsOf(prefix: string): Promise<StoredScore[]> {
  const keys = await client.keys(`${prefix}*`);
  const hashes = await Promise.all(keys.map((key) => client.hgetall(key)));
  return hashes.map((hash) => ({ score: scoreOfHash(hash), mark: JSON.stringify(hash) }));
}

function scoreOfHash(hash: Record<string, string>): Score {
  const text = (name: string) => hash[name] ?? null;
  const labels = Object.entries(hash).filter(([name]) => name.startsWith('score:'));
  return {
    customer: hash['customer']!,
    content_id: hash['content_id']!,
    version: hash['version']!,
    decision_id: hash['decision_id']!,
    action: hash['action'] as Score['action'],
    reasons: JSON.parse(hash['reasons']!) as string[],
    scores: Object.fromEntries(labels.map(([name, score]) => [name.slice('score:'.length), Number(score)])),
    model: text('model'),
    policy: text('policy'),
    language: text('language'),
    created_at: text('created_at'),
    decided_at: hash['decided_at']!,
  };
}

sinkContract('redis', () => {
  const prefix = freshPrefix();
  const sink = sinkOf({ prefix });
  return Promise.resolve({
    sink,
    again: () => Promise.resolve(sinkOf({ prefix })),
    unreachable: () => Promise.resolve(sinkOf({ prefix, url: 'redis://127.0.0.1:1' })),
    received: async () => (await rowsOf(prefix)).map(({ score }) => score.decision_id),
    close: () => sink.close(),
  });
});

scoresContract('redis', () => {
  const prefix = freshPrefix();
  const sink = sinkOf({ prefix });
  return Promise.resolve({
    sink,
    again: () => Promise.resolve(sinkOf({ prefix })),
    rows: (customer) => rowsOf(`${prefix}${customer}:`),
    kill: () => server.kill(),
    start: () => server.start(),
    close: () => sink.close(),
  });
});

describe('redis sink', () => {
  it('writes a hash that one command reads, under customer and content', async () => {
    const prefix = freshPrefix();
    const sink = sinkOf({ prefix });
    await sink.deliver([sampleDecision(7, { customer: 'a:b {c}', content_id: 'd:e' })], signal());
    expect(await client.keys(`${prefix}*`)).toEqual([`${prefix}a%3Ab%20%7Bc%7D:d:e`]);
    expect(await client.hmget(`${prefix}a%3Ab%20%7Bc%7D:d:e`, 'customer', 'action', 'score:toxic')).toEqual([
      'a:b {c}',
      'block',
      '0.9812',
    ]);
    // Stays in the compact form as long as no value is longer than 64 bytes.
    expect(await client.object('ENCODING', `${prefix}a%3Ab%20%7Bc%7D:d:e`)).toMatch(/listpack|ziplist/);
    await sink.close();
  });

  it('gives scores a time to live with each newer version, and none by default', async () => {
    const [brief, lasting] = [freshPrefix(), freshPrefix()];
    const [withTtl, without] = [sinkOf({ prefix: brief, ttl: '1h' }), sinkOf({ prefix: lasting })];
    await withTtl.deliver([sampleDecision(1)], signal());
    await client.pexpire(`${brief}acme:post-1`, 1_000_000);
    await withTtl.deliver([sampleDecision(1)], signal());
    expect(await client.pttl(`${brief}acme:post-1`)).toBeLessThanOrEqual(1_000_000);
    await withTtl.deliver([sampleDecision(2, { content_id: 'post-1' })], signal());
    expect(await client.pttl(`${brief}acme:post-1`)).toBeGreaterThan(1_000_000);
    await without.deliver([sampleDecision(1)], signal());
    expect(await client.pttl(`${lasting}acme:post-1`)).toBe(-1);
    await Promise.all([withTtl.close(), without.close()]);
  });

  it('refuses only what lies at a key that has a value of another type', async () => {
    const prefix = freshPrefix();
    await client.set(`${prefix}acme:post-1`, 'not a hash');
    const sink = sinkOf({ prefix });
    const batch = [sampleDecision(0), sampleDecision(1), sampleDecision(2, { content_id: 'post-1' })];
    const refusals = await sink.deliver(batch, signal());
    expect(refusals.map(({ index, code }) => [index, code])).toEqual([
      [1, 'rejected'],
      [2, 'rejected'],
    ]);
    expect(refusals[0]!.detail).toContain(`${prefix}acme:post-1`);
    expect(await client.hget(`${prefix}acme:post-0`, 'action')).toBe('block');
    await sink.close();
  });

  it('loads its script again into a server that forgot it', async () => {
    const prefix = freshPrefix();
    const sink = sinkOf({ prefix });
    await sink.deliver([sampleDecision(1)], signal());
    await client.script('FLUSH');
    expect(await sink.deliver([sampleDecision(2), sampleDecision(3)], signal())).toEqual([]);
    expect(await rowsOf(prefix)).toHaveLength(3);
    await sink.close();
  });

  it('gives up waiting for a server that says nothing, and goes on once it does', async () => {
    const prefix = freshPrefix();
    const sink = sinkOf({ prefix });
    await sink.deliver([sampleDecision(1)], signal());
    await server.signal('SIGSTOP');
    try {
      await expect(sink.deliver([sampleDecision(2)], AbortSignal.timeout(300))).rejects.toThrow(
        RetryableError,
      );
    } finally {
      await server.signal('SIGCONT');
    }
    expect(await sink.deliver([sampleDecision(2)], signal())).toEqual([]);
    expect(await rowsOf(prefix)).toHaveLength(2);
    await sink.close();
  });

  it('says what is wrong with user, database, rights and server, and the way out', async () => {
    await client.call('ACL', 'SETUSER', 'reader', 'on', '>secret', '~*', '+@read', '+@connection', '+info');
    const withUser = (user: string) => server.address.replace('//', `//${user}@`);
    const wrong: [object, string][] = [
      [{ url: withUser('reader:wrong') }, 'WRONGPASS'],
      [{ url: withUser('reader:secret') }, 'allow the user EVAL'],
      [{ url: `${server.address}/99` }, 'DB index is out of range'],
      [{ cluster: true }, 'cluster support disabled'],
    ];
    for (const [changes, text] of wrong) {
      const sink = sinkOf(changes);
      const error = await failureOf(sink.check());
      expect(error).toBeInstanceOf(MisconfiguredError);
      expect(String(error)).toContain(text);
      expect(String(error)).not.toContain('secret');
      expect(await failureOf(sink.deliver([sampleDecision(1)], signal()))).toBeInstanceOf(StoreError);
      await sink.close();
    }
  });

  it('waits while the server has no room, and says so', async () => {
    const sink = sinkOf({ prefix: freshPrefix() });
    await client.config('SET', 'maxmemory', '1');
    try {
      await expect(sink.deliver([sampleDecision(1)], signal())).rejects.toThrow(
        /OOM .*make room in the server/,
      );
      await expect(sink.deliver([sampleDecision(1)], signal())).rejects.toThrow(RetryableError);
    } finally {
      await client.config('SET', 'maxmemory', '0');
    }
    expect(await sink.deliver([sampleDecision(1)], signal())).toEqual([]);
    await sink.close();
  });
});

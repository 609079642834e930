import { Redis } from 'ioredis';
import { describe, expect, it, onTestFinished } from 'vitest';
import { MisconfiguredError, RetryableError } from '../../../src/errors.ts';
import { createWebhooksSink } from '../../../src/sinks/webhooks/webhooks-sink.ts';
import { sinkContract } from '../../contract/sink.ts';
import { sampleDecision } from '../../sample-decision.ts';
import { configOf, eventually, openHooks, signal } from './fixture.ts';
import { startReceiver } from './receiver.ts';
import { ownRedis } from './own-redis.ts';

const at = 'sinks.hooks';
const everything = { url: 'https://example.com/', actions: ['allow', 'review', 'block'] } as const;
const endpoints = { all: { ...everything, actions: [...everything.actions] } };

sinkContract('webhooks', () => {
  const config = configOf(endpoints);
  const open = () => createWebhooksSink({ config, name: 'hooks', at });
  const sink = open();
  const redis = new Redis(config.redis);
  return Promise.resolve({
    sink,
    again: () => Promise.resolve(open()),
    unreachable: () =>
      Promise.resolve(
        createWebhooksSink({ config: { ...config, redis: 'redis://127.0.0.1:1' }, name: 'hooks', at }),
      ),
    async received() {
      const waiting = await redis.lrange(`${config.prefix}:hooks.all:wait`, 0, -1);
      return waiting.map((id) => decodeURIComponent(id));
    },
    async close() {
      await sink.close();
      for await (const keys of redis.scanStream({
        match: `${config.prefix}:*`,
        count: 1000,
      }) as AsyncIterable<string[]>)
        if (keys.length > 0) await redis.del(keys);
      redis.disconnect();
    },
  });
});

/** A Redis of the test's own, with a client to do things to it. */
async function withAdmin() {
  const own = await ownRedis();
  const admin = new Redis(own.url, { maxRetriesPerRequest: 0 });
  admin.on('error', () => undefined);
  onTestFinished(() => admin.disconnect());
  return { ...own, admin };
}

describe('webhooks sink', () => {
  const batch = [sampleDecision(1), sampleDecision(2)];

  it('adds nothing and fails, to be asked again, while Redis is killed, frozen, full, or a replica', async () => {
    const { url, admin, kill, start, signal: send } = await withAdmin();
    const hooks = openHooks(configOf(endpoints, { redis: url }));
    const refused = () => expect(hooks.sink.deliver(batch, signal)).rejects.toThrow(RetryableError);
    await hooks.sink.check();
    await hooks.sink.deliver(batch.slice(0, 1), signal);

    await admin.config('SET', 'maxmemory', '1mb');
    await refused();
    await admin.config('SET', 'maxmemory', '0');
    await admin.replicaof('127.0.0.1', 1);
    await refused();
    await admin.call('REPLICAOF', 'NO', 'ONE');
    await eventually(() => hooks.sink.deliver(batch.slice(0, 1), signal));

    await send('SIGSTOP');
    await refused();
    await send('SIGCONT');
    await eventually(() => hooks.sink.deliver(batch.slice(0, 1), signal));

    await kill();
    await refused();
    await start();
    await eventually(() => hooks.sink.deliver(batch, signal));
    expect(await admin.llen(`${hooks.config.prefix}:hooks.all:wait`)).toBe(2);
  });

  it('leaves room in Redis for what delivers, so that it comes to an end', async () => {
    const { url, admin } = await withAdmin();
    await admin.config('SET', 'maxmemory', '8mb');
    const receiver = await startReceiver();
    const hooks = openHooks(configOf({ all: { ...endpoints.all, url: receiver.url } }, { redis: url }));
    let added = 0;
    const fill = async () => {
      for (; added < 20_000; added += 200)
        await hooks.sink.deliver(
          Array.from({ length: 200 }, (_, index) => sampleDecision(added + index)),
          signal,
        );
    };
    const refused = fill();
    await expect(refused).rejects.toThrow(RetryableError);
    await expect(refused).rejects.toThrow(/at most 80 % of maxmemory/);
    expect(added).toBeGreaterThan(0);
    hooks.deliver();
    const sent = () => new Set(receiver.ids()).size;
    await eventually(() => expect(sent()).toBe(added), 60_000);
    await eventually(() => hooks.sink.deliver([sampleDecision(100_000)], signal));
    await eventually(() => expect(sent()).toBe(added + 1));
  });

  it('adds nothing for a delivery that was given up', async () => {
    const hooks = openHooks(configOf(endpoints));
    await expect(hooks.sink.deliver(batch, AbortSignal.abort())).rejects.toThrow(RetryableError);
    expect(await hooks.redis.keys(`${hooks.config.prefix}:*:content-*`)).toEqual([]);
  });

  it('refuses a Redis that evicts keys, forgets them, or does not let it in', async () => {
    const { url, admin } = await withAdmin();
    const config = configOf(endpoints, { redis: url });
    const check = async (changes: object = {}) => {
      const sink = createWebhooksSink({ config: { ...config, ...changes }, name: 'hooks', at });
      try {
        await sink.check();
        return sink.description;
      } finally {
        await sink.close();
      }
    };
    expect(await check()).toMatch(/^webhooks to one endpoint by Redis 127\.0\.0\.1:\d+$/);
    await admin.config('SET', 'appendonly', 'no');
    expect(await check()).toMatch(/appendonly is off/);
    await admin.config('SET', 'maxmemory-policy', 'allkeys-lru');
    await expect(check()).rejects.toThrow(
      /sinks\.hooks\.redis 127.*expected maxmemory-policy noeviction, got allkeys-lru/,
    );
    await admin.config('SET', 'maxmemory-policy', 'noeviction');
    await admin.replicaof('127.0.0.1', 1);
    await expect(check()).rejects.toThrow(RetryableError);
    await admin.call('REPLICAOF', 'NO', 'ONE');

    await admin.call('ACL', 'SETUSER', 'narrow', 'on', '>pw', '+@all', '~other:*', '&*');
    await expect(check({ redis: url.replace('//', '//narrow:pw@') })).rejects.toThrow(MisconfiguredError);
    await admin.config('SET', 'requirepass', 'right');
    const wrong = check({ redis: url.replace('//', '//:wrong-password@') });
    await expect(wrong).rejects.toThrow(MisconfiguredError);
    await expect(wrong).rejects.toThrow(/WRONGPASS/);
    await expect(wrong).rejects.not.toThrow(/wrong-password/);
    await expect(check()).rejects.toThrow(MisconfiguredError);
    expect(await check({ redis: url.replace('//', '//:right@') })).not.toContain('right');
  });
});

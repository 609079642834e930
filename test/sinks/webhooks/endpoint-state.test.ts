import { describe, expect, it, onTestFinished } from 'vitest';
import { breakerStep, CLOSED } from '../../../src/sinks/webhooks/breaker.ts';
import { createEndpointStore } from '../../../src/sinks/webhooks/endpoint-state.ts';
import { openQueue } from '../../../src/sinks/webhooks/queue.ts';
import { configOf, eventually, openHooks } from './fixture.ts';

const options = { failures: 3, pause: 60_000, max_pause: 60_000 };

/** One endpoint as several processes see it, each by a connection of its own. */
function openStores(count: number) {
  const hooks = openHooks(configOf({ acme: 'http://127.0.0.1:1/' }));
  const stores = Array.from({ length: count }, () => {
    const redis = hooks.redis.duplicate();
    onTestFinished(() => redis.disconnect());
    const place = { redis, prefix: hooks.config.prefix, sink: 'hooks', endpoint: 'acme' };
    return createEndpointStore(place, openQueue(place));
  });
  const place = { redis: hooks.redis, prefix: hooks.config.prefix, sink: 'hooks', endpoint: 'acme' };
  const queue = openQueue(place);
  return { stores, queue, place };
}

describe('endpoint state', () => {
  it('counts each failure once, of all processes at the same time', async () => {
    const { stores } = openStores(8);
    const count = (failures: number) => ({ state: { ...CLOSED, failures: failures + 1 } });
    await Promise.all(
      Array.from({ length: 80 }, (_, n) => stores[n % 8]!.change(({ failures }) => count(failures))),
    );
    expect((await stores[0]!.read()).breaker.failures).toBe(80);
  });

  it('leaves breaker and queue of one mind, whatever results come in together', async () => {
    const { stores, queue } = openStores(6);
    for (let round = 0; round < 20; round++) {
      const results = Array.from({ length: 24 }, (_, n) => (n * 7 + round) % 5 === 0);
      await Promise.all(
        results.map((ok, n) =>
          stores[n % 6]!.change((breaker) =>
            breakerStep(breaker, { ok, startedAt: Infinity, now: round }, options),
          ),
        ),
      );
      const { breaker } = await stores[0]!.read();
      expect([round, (await queue.getGlobalConcurrency()) !== null]).toEqual([round, breaker.openings > 0]);
    }
    await stores[0]!.enable();
    expect((await stores[0]!.read()).breaker).toEqual(CLOSED);
    expect([await queue.getGlobalConcurrency(), await queue.getRateLimitTtl(1)]).toEqual([null, 0]);
  });

  it('lets a slow process not hold the queue that another one has opened again', async () => {
    const { stores, queue, place } = openStores(1);
    let proceed = () => {};
    const gate = new Promise<void>((open) => {
      proceed = open;
    });
    let isReached = false;
    const slowQueue = new Proxy(openQueue(place), {
      get(target, name) {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== 'function') return value;
        return async (...args: unknown[]) => {
          isReached ||= name === 'rateLimit';
          if (name === 'rateLimit') await gate;
          return (value as (...given: unknown[]) => unknown).apply(target, args);
        };
      },
    });
    const slow = createEndpointStore(place, slowQueue);
    const opening = slow.change(() => ({
      state: { failures: 3, openings: 1, openedAt: 1 },
      pause: 60_000,
    }));
    await eventually(() => expect(isReached).toBe(true));
    const result = { ok: true, startedAt: 2, now: 2 };
    expect((await stores[0]!.change((breaker) => breakerStep(breaker, result, options))).closed).toBe(true);
    proceed();
    await opening;
    expect([await queue.getGlobalConcurrency(), await queue.getRateLimitTtl(1)]).toEqual([null, 0]);
  });

  it('is repaired where a process died between the breaker and the queue', async () => {
    const { stores, queue } = openStores(1);
    await queue.setGlobalConcurrency(1);
    await stores[0]!.repair();
    expect(await queue.getGlobalConcurrency()).toBeNull();
  });
});

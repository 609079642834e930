import { describe, expect, it, onTestFinished } from 'vitest';
import { breakerStep, CLOSED } from '../../../src/sinks/webhooks/breaker.ts';
import { createEndpointStore } from '../../../src/sinks/webhooks/endpoint-state.ts';
import { openQueue, type EndpointPlace } from '../../../src/sinks/webhooks/queue.ts';
import { configOf, eventually, openHooks } from './fixture.ts';

/** A breaker that opens for a minute. */
const opened = { state: { failures: 3, openings: 1, opened: 1 }, pause: 60_000 };
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

/** A process that stops before a step of its queue until it may proceed. */
function openSlow(place: EndpointPlace, step: 'setGlobalConcurrency' | 'pause') {
  let proceed = () => {};
  const gate = new Promise<void>((open) => {
    proceed = open;
  });
  let isReached = false;
  const slowQueue = new Proxy(openQueue(place), {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (name !== step) return typeof value === 'function' ? value.bind(target) : value;
      return async (...args: unknown[]) => {
        isReached = true;
        await gate;
        return (value as (...given: unknown[]) => unknown).apply(target, args);
      };
    },
  });
  return {
    slow: createEndpointStore(place, slowQueue),
    isReached: () => isReached,
    proceed: () => proceed(),
  };
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
          stores[n % 6]!.change((breaker, revision) =>
            breakerStep(breaker, { ok, began: Infinity, revision }, options),
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
    const { slow, isReached, proceed } = openSlow(place, 'setGlobalConcurrency');
    const opening = slow.change(() => ({
      state: { failures: 3, openings: 1, opened: 1 },
      pause: 60_000,
    }));
    await eventually(() => expect(isReached()).toBe(true));
    const result = { ok: true, began: 0, revision: 1 };
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
    await stores[0]!.change(() => opened);
    await queue.removeGlobalConcurrency();
    await stores[0]!.repair();
    expect(await queue.getGlobalConcurrency()).toBe(1);
  });

  it('is held for the longest that anybody asked for, and no longer', async () => {
    const { stores, queue } = openStores(1);
    const [store] = stores;
    const ttl = () => queue.getRateLimitTtl(1);
    // The breaker's pause, then a shorter Retry-After.
    await store!.change(() => opened);
    await store!.hold(1_000);
    expect(await ttl()).toBeGreaterThan(50_000);
    // A longer one outlasts the breaker, of whichever time left is its own.
    await store!.hold(3_600_000);
    const close = () => store!.change(() => ({ state: CLOSED, closed: true }));
    await close();
    expect(await ttl()).toBeGreaterThan(3_500_000);
    // The breaker cannot shorten it, and takes only its own with it.
    await store!.change(() => opened);
    expect(await ttl()).toBeGreaterThan(3_500_000);
    await store!.enable();
    expect(await ttl()).toBe(0);
    await store!.hold(20_000);
    await store!.change(() => opened);
    expect(await ttl()).toBeGreaterThan(50_000);
    await close();
    const left = await ttl();
    expect([left > 0, left <= 20_000]).toEqual([true, true]);
  });

  it('keeps what a rate has used up when the breaker closes', async () => {
    const { stores, queue, place } = openStores(1);
    await place.redis.set(queue.toKey('limiter'), '3', 'PX', 60_000);
    await stores[0]!.repair();
    expect(await queue.getRateLimitTtl(3)).toBeGreaterThan(50_000);
  });

  it('pauses the queue of a disabled endpoint, wherever the process that did it died', async () => {
    const { stores, queue, place } = openStores(2);
    const [store, other] = stores;
    const key = `${place.prefix}:endpoint:hooks.acme`;
    // Killed between the two steps of disabling, then between those of enabling.
    await place.redis.hset(key, 'disabled', 'by a test');
    await store!.repair();
    expect(await queue.isPaused()).toBe(true);
    await queue.resume();
    await store!.repair();
    expect([await queue.isPaused(), (await store!.read()).disabled]).toEqual([true, 'by a test']);
    await store!.enable();
    expect([await queue.isPaused(), (await store!.read()).disabled]).toEqual([false, undefined]);

    const { slow, isReached, proceed } = openSlow(place, 'pause');
    const disabling = slow.disable('slowly');
    await eventually(() => expect(isReached()).toBe(true));
    await store!.enable();
    proceed();
    await disabling;
    expect([await queue.isPaused(), (await store!.read()).disabled]).toEqual([false, undefined]);

    for (let round = 0; round < 20; round++) {
      await Promise.all([store!.disable('x'), other!.enable(), store!.repair(), other!.repair()]);
      const { disabled } = await store!.read();
      expect([round, await queue.isPaused()]).toEqual([round, disabled !== undefined]);
    }
  });
});

import { describe, expect, it } from 'vitest';
import { openQueue, type EndpointPlace } from '../../../src/sinks/webhooks/queue.ts';
import { redeliver } from '../../../src/sinks/webhooks/redeliver.ts';
import { sampleDecision } from '../../sample-decision.ts';
import { configOf, eventually, openHooks, signal, type Hooks } from './fixture.ts';
import { startReceiver } from './receiver.ts';

const decisions = (count: number) => Array.from({ length: count }, (_, index) => sampleDecision(index));
const placeOf = ({ redis, config }: Hooks): EndpointPlace => ({
  redis,
  prefix: config.prefix,
  sink: 'hooks',
  endpoint: 'acme',
});
const send = { dryRun: false };

/** The place, with something done before the first call of a command. */
function interrupted(place: EndpointPlace, command: 'eval' | 'zscan', act: () => Promise<unknown>, at = 1) {
  let calls = 0;
  const redis = new Proxy(place.redis, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (name !== command) return typeof value === 'function' ? value.bind(target) : value;
      return async (...args: unknown[]) => {
        if (++calls === at) await act();
        return (value as (...given: unknown[]) => unknown).apply(target, args);
      };
    },
  });
  return { ...place, redis };
}

describe('redelivery', () => {
  it('finds everything that is remembered while the oldest is forgotten', async () => {
    const receiver = await startReceiver();
    const hooks = openHooks(configOf({ acme: { url: receiver.url, batch: { size: 200 } } }));
    const place = placeOf(hooks);
    const count = 1_500;
    await hooks.sink.deliver(decisions(count), signal);
    const delivery = hooks.deliver();
    const completed = () => hooks.redis.zcard(`${hooks.config.prefix}:hooks.acme:completed`);
    await eventually(async () => expect(await completed()).toBe(count));
    await delivery.stop(1_000);

    const queue = openQueue(place, { readOnly: true });
    const forget = async () => void (await queue.clean(0, 700, 'completed'));
    const all = { since: 0, until: Infinity };
    const found = await redeliver(interrupted(place, 'zscan', forget, 2), all, { dryRun: true });
    expect(await completed()).toBe(count - 700);
    const left = await hooks.redis.zrange(`${hooks.config.prefix}:hooks.acme:completed`, '0', '-1');
    expect(left.filter((id) => !found.ids.includes(id))).toEqual([]);
    expect(new Set(found.ids).size).toBe(found.ids.length);
  });

  it('goes on where another process was faster', async () => {
    const hooks = openHooks(configOf({ acme: 'http://127.0.0.1:1/' }, { retry: ['1h'] }));
    const delivery = hooks.deliver();
    await hooks.sink.deliver(decisions(3), signal);
    const delayed = () => hooks.redis.zcard(`${hooks.config.prefix}:hooks.acme:delayed`);
    await eventually(async () => expect(await delayed()).toBe(3));
    await delivery.stop(1_000);
    const place = placeOf(hooks);
    const queue = openQueue(place, { readOnly: true });
    const faster = async () => (await queue.getJob('content-0-0'))!.promote();
    const selection = { ids: decisions(3).map(({ id }) => id) };
    expect(await redeliver(interrupted(place, 'eval', faster), selection, send)).toEqual({
      ids: ['content-0-1', 'content-0-2'],
      missing: [],
      underway: ['content-0-0'],
    });
    expect(await delayed()).toBe(0);
  });

  it('makes a decision new for those that say when to come back, and makes none that was forgotten', async () => {
    const receiver = await startReceiver();
    receiver.answer(500, [429, { 'retry-after': '1' }], 204);
    const hooks = openHooks(configOf({ acme: receiver.url }, { retry: [] }));
    hooks.deliver();
    await hooks.sink.deliver(decisions(1), signal);
    await eventually(() => expect(hooks.events.exhausted).toHaveLength(1));
    const key = `${hooks.config.prefix}:hooks.acme:content-0-0`;
    await hooks.redis.hset(key, 'timestamp', '1');
    const place = placeOf(hooks);
    expect(await redeliver(place, { failed: true }, send)).toMatchObject({ ids: ['content-0-0'] });
    await eventually(() =>
      expect(hooks.events.attempted.map(({ outcome }) => outcome)).toEqual(['failed', 'held', 'delivered']),
    );
    expect(hooks.events.exhausted).toHaveLength(1);

    const queue = openQueue(place, { readOnly: true });
    await eventually(async () =>
      expect(await (await queue.getJob('content-0-0'))!.getState()).toBe('completed'),
    );
    const forget = async () => void (await queue.clean(0, 1, 'completed'));
    expect(await redeliver(interrupted(place, 'eval', forget), { ids: ['content-0-0'] }, send)).toEqual({
      ids: [],
      missing: ['content-0-0'],
      underway: [],
    });
    expect(await hooks.redis.exists(key)).toBe(0);
  });
});

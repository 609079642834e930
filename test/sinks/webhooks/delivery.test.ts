import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { decisionSchema } from '../../../src/decision.ts';
import { sampleDecision } from '../../sample-decision.ts';
import { configOf, eventually, openHooks, signal } from './fixture.ts';
import { startReceiver, type Received } from './receiver.ts';

const decisions = (count: number, from = 0) =>
  Array.from({ length: count }, (_, index) => sampleDecision(from + index));
const idsOf = (list: readonly { readonly id: string }[]) => list.map(({ id }) => id);

describe('webhook delivery', () => {
  it('sends each decision alone, signed, under its own id, with its schema', async () => {
    const receiver = await startReceiver();
    const hooks = openHooks(configOf({ acme: { url: receiver.url, headers: { 'x-team': 'trust' } } }));
    hooks.deliver();
    const [decision] = decisions(1);
    await hooks.sink.deliver([decision!], signal);
    const [request] = await eventually(() => {
      expect(receiver.requests).toHaveLength(1);
      return receiver.requests as [Received];
    });
    expect(request).toMatchObject({
      id: 'content-0-0',
      headers: {
        'content-type': 'application/json',
        'x-team': 'trust',
        'user-agent': expect.stringMatching(/^sluice\//),
      },
    });
    const { data, ...rest } = JSON.parse(request.body) as { data: unknown };
    expect(rest).toEqual({ type: 'decision.created', timestamp: decision!.decided_at });
    expect(decisionSchema.strict().parse(data)).toEqual(decision);
  });

  it('tells each endpoint what its filter wants', async () => {
    const [blocked, others] = [await startReceiver(), await startReceiver()];
    const hooks = openHooks(
      configOf({
        blocked: { url: blocked.url, actions: ['block'], labels: ['toxic'] },
        others: { url: others.url, actions: ['allow', 'review', 'block'], customers: ['other'] },
      }),
    );
    hooks.deliver();
    const batch = [
      sampleDecision(1),
      sampleDecision(2, { action: 'review' }),
      sampleDecision(3, { reasons: [{ label: 'spam', score: 1, threshold: 0.5 }] }),
      sampleDecision(4, { customer: 'other', action: 'allow', reasons: [] }),
    ];
    await hooks.sink.deliver(batch, signal);
    await eventually(() => expect([blocked.ids(), others.ids()]).toEqual([['content-0-1'], ['content-0-4']]));
    await eventually(() => expect(hooks.events.attempted).toHaveLength(2));
  });

  it('tries again by the schedule, under the same id, and counts attempts', async () => {
    const receiver = await startReceiver();
    receiver.answer(500, 404, [301, { location: 'http://127.0.0.1:1/' }], 200);
    const hooks = openHooks(configOf({ acme: receiver.url }));
    hooks.deliver();
    await hooks.sink.deliver(decisions(1), signal);
    await eventually(() => expect(receiver.requests).toHaveLength(4));
    expect(new Set(receiver.requests.map(({ id }) => id))).toEqual(new Set(['content-0-0']));
    await eventually(() =>
      expect(hooks.events.attempted.map(({ result }) => result)).toEqual(['500', '404', '301', '200']),
    );
    expect(hooks.events.exhausted).toEqual([]);
  });

  it('keeps a decision whose last attempt failed, and says so', async () => {
    const receiver = await startReceiver();
    receiver.answer(500);
    const hooks = openHooks(configOf({ acme: receiver.url }, { retry: ['10ms', '10ms'] }));
    hooks.deliver();
    await hooks.sink.deliver(decisions(1), signal);
    await eventually(() =>
      expect(hooks.events.exhausted).toEqual([
        { endpoint: 'hooks/acme', id: 'content-0-0', attempts: 3, result: '500' },
      ]),
    );
    expect(receiver.requests).toHaveLength(3);
    expect(await hooks.redis.zcard(`${hooks.config.prefix}:hooks.acme:failed`)).toBe(1);
  });

  it('signs by each secret while one replaces another', async () => {
    const secrets = [1, 2].map((byte) => `whsec_${Buffer.alloc(24, byte).toString('base64')}`);
    const receivers = [
      await startReceiver({ secret: secrets[0]! }),
      await startReceiver({ secret: secrets[1]! }),
    ];
    const hooks = openHooks(
      configOf({ fresh: { url: receivers[0]!.url, secrets }, stale: { url: receivers[1]!.url, secrets } }),
    );
    hooks.deliver();
    await hooks.sink.deliver(decisions(1), signal);
    await eventually(() => expect(receivers.map(({ requests }) => requests.length)).toEqual([1, 1]));
    expect(String(receivers[0]!.requests[0]!.headers['webhook-signature']).split(' ')).toHaveLength(2);
  });

  it('sends batches by size and linger, with one id for the same decisions', async () => {
    const receiver = await startReceiver();
    receiver.answer(500, 204);
    const hooks = openHooks(
      configOf({ acme: { url: receiver.url, batch: { size: 4, linger: '300ms' }, concurrency: 1 } }),
    );
    const batch = decisions(6);
    await hooks.sink.deliver(batch, signal);
    hooks.deliver();
    await eventually(() => expect(new Set(receiver.ids())).toEqual(new Set(idsOf(batch))));
    await eventually(() =>
      expect(
        hooks.events.attempted.flatMap(({ outcome, ids }) => (outcome === 'delivered' ? ids : [])),
      ).toHaveLength(6),
    );
    expect(receiver.requests.every(({ decisions: list }) => list.length <= 4)).toBe(true);
    expect(receiver.requests[0]!.decisions).toHaveLength(4);
    expect(JSON.parse(receiver.requests[0]!.body)).toMatchObject({ type: 'decisions.created' });
    for (const request of receiver.requests)
      for (const other of receiver.requests)
        expect(request.id === other.id).toBe(
          request.decisions.toSorted().join() === other.decisions.toSorted().join(),
        );
  });

  it('adds no second job for a decision that waits, is delivered, failed, or is tried again', async () => {
    const receiver = await startReceiver();
    const hooks = openHooks(configOf({ acme: receiver.url }, { retry: ['1h'] }));
    const key = (list: string) => `${hooks.config.prefix}:hooks.acme:${list}`;
    const counts = async () =>
      Promise.all([
        hooks.redis.llen(key('wait')),
        ...['delayed', 'completed', 'failed'].map((set) => hooks.redis.zcard(key(set))),
      ]);
    const batch = decisions(2);
    await hooks.sink.deliver(batch, signal);
    await hooks.sink.deliver(batch, signal);
    expect(await counts()).toEqual([2, 0, 0, 0]);

    const delivery = hooks.deliver();
    await eventually(async () => expect(await counts()).toEqual([0, 0, 2, 0]));
    await hooks.sink.deliver(batch, signal);
    expect(await counts()).toEqual([0, 0, 2, 0]);

    receiver.answer(500);
    const later = decisions(1, 10);
    await hooks.sink.deliver(later, signal);
    await eventually(async () => expect(await counts()).toEqual([0, 1, 2, 0]));
    await hooks.sink.deliver(later, signal);
    expect(await counts()).toEqual([0, 1, 2, 0]);
    await delivery.stop(1000);

    const failing = openHooks(configOf({ acme: receiver.url }, { retry: [], prefix: hooks.config.prefix }));
    const lost = decisions(1, 20);
    await failing.sink.deliver(lost, signal);
    failing.deliver();
    await eventually(async () => expect(await counts()).toEqual([0, 1, 2, 1]));
    await failing.sink.deliver(lost, signal);
    await hooks.sink.deliver([...batch, ...later, ...lost], signal);
    expect(await counts()).toEqual([0, 1, 2, 1]);
    expect(receiver.requests).toHaveLength(4);
  });

  it('forgets what was delivered in its time, also where nothing more is sent', async () => {
    const receiver = await startReceiver();
    const hooks = openHooks(configOf({ acme: receiver.url }, { remember: '1s' }));
    await hooks.sink.deliver(decisions(3), signal);
    const delivery = hooks.deliver();
    const key = (id: string) => `${hooks.config.prefix}:hooks.acme:content-0-${id}`;
    await eventually(async () =>
      expect(await hooks.redis.zcard(`${hooks.config.prefix}:hooks.acme:completed`)).toBe(3),
    );
    await delivery.stop(1000);
    await delay(1_100);
    hooks.deliver();
    await eventually(async () => expect(await hooks.redis.exists(key('0'), key('1'), key('2'))).toBe(0));
  });

  it('refuses what an endpoint has no room for, and nothing of what others have', async () => {
    const all = ['allow', 'review', 'block'] as const;
    const hooks = openHooks(
      configOf(
        {
          full: { url: 'http://127.0.0.1:1/', actions: [...all] },
          roomy: { url: 'http://127.0.0.1:1/x', customers: ['other'], actions: [...all] },
        },
        { backlog: 3 },
      ),
    );
    const batch = [...decisions(2), sampleDecision(2, { customer: 'other' }), ...decisions(2, 3)];
    expect(await hooks.sink.deliver(batch, signal)).toEqual([
      { index: 3, code: 'backlog_full', detail: expect.stringContaining('hooks/full'), isOneReceivers: true },
      {
        index: 4,
        code: 'backlog_full',
        detail: expect.stringContaining('at most 3 decisions'),
        isOneReceivers: true,
      },
    ]);
    const waiting = (endpoint: string) =>
      hooks.redis.lrange(`${hooks.config.prefix}:hooks.${endpoint}:wait`, 0, -1);
    expect((await waiting('full')).toSorted()).toEqual(['content-0-0', 'content-0-1', 'content-0-2']);
    expect(await waiting('roomy')).toEqual(['content-0-2']);
    expect((await hooks.sink.deliver(decisions(1, 9), signal)).map(({ code }) => code)).toEqual([
      'backlog_full',
    ]);
  });

  it('keeps to a rate, all processes together', async () => {
    const receiver = await startReceiver();
    const hooks = openHooks(configOf({ acme: { url: receiver.url, rate: { max: 5, per: '1s' } } }));
    await hooks.sink.deliver(decisions(12), signal);
    const started = Date.now();
    hooks.deliver();
    hooks.deliver();
    await eventually(() => expect(receiver.requests).toHaveLength(12));
    expect(new Set(receiver.ids()).size).toBe(12);
    // The windows are Redis's, and none began before.
    const before = (millis: number) => receiver.requests.filter(({ at }) => at < started + millis).length;
    expect(before(990)).toBeLessThanOrEqual(5);
    expect(before(1_990)).toBeLessThanOrEqual(10);
  });
});

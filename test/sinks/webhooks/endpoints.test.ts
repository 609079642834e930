import { describe, expect, it, onTestFinished } from 'vitest';
import { endpointStatus } from '../../../src/sinks/webhooks/endpoint-status.ts';
import { switchEndpoint } from '../../../src/sinks/webhooks/endpoint-switch.ts';
import { wakeChannel } from '../../../src/sinks/webhooks/queue.ts';
import { createRedis } from '../../../src/sinks/webhooks/redis.ts';
import { sampleDecision } from '../../sample-decision.ts';
import { configOf, eventually, openHooks, signal, type Hooks } from './fixture.ts';
import { ownRedis } from './own-redis.ts';
import { startReceiver } from './receiver.ts';

const decisions = (count: number, from = 0) =>
  Array.from({ length: count }, (_, index) => sampleDecision(from + index));
const placeOf = ({ redis, config }: Hooks, endpoint = 'acme') => ({
  redis,
  prefix: config.prefix,
  sink: 'hooks',
  endpoint,
});

describe('webhook endpoints', () => {
  it('waits as long as Retry-After says, without using up attempts', async () => {
    const receiver = await startReceiver();
    receiver.answer([429, { 'retry-after': '1' }], [503, { 'retry-after': '1' }], 204);
    const hooks = openHooks(configOf({ acme: { url: receiver.url, concurrency: 1 } }, { retry: [] }));
    hooks.deliver();
    await hooks.sink.deliver(decisions(2), signal);
    await eventually(() =>
      expect(hooks.events.attempted.filter(({ outcome }) => outcome === 'delivered')).toHaveLength(2),
    );
    expect(hooks.events.attempted.map(({ outcome }) => outcome)).toEqual([
      'held',
      'held',
      'delivered',
      'delivered',
    ]);
    // By the receiver's clock: between an answer and the next request lies the second that was asked for.
    const gaps = receiver.requests.slice(1, 3).map(({ at }, index) => at - receiver.requests[index]!.at);
    for (const gap of gaps) expect(gap).toBeGreaterThanOrEqual(990);
    expect(hooks.events.exhausted).toEqual([]);
  });

  it('sends at once what was held, in processes that know of the hold, when it is enabled', async () => {
    const receiver = await startReceiver();
    receiver.answer([429, { 'retry-after': '3600' }], 204);
    const hooks = openHooks(configOf({ acme: { url: receiver.url, concurrency: 1 } }));
    hooks.deliver();
    await hooks.sink.deliver(decisions(2), signal);
    await eventually(async () => {
      const { counts, holdMillis } = await endpointStatus(placeOf(hooks));
      expect([counts.waiting, holdMillis > 3_500_000]).toEqual([2, true]);
    });
    await switchEndpoint(placeOf(hooks), 'enable');
    await eventually(() => expect(receiver.requests).toHaveLength(3));
  });

  it('disables an endpoint that answers 410 for all processes; its decisions wait until it is enabled', async () => {
    const receiver = await startReceiver();
    receiver.answer(410);
    const hooks = openHooks(configOf({ acme: { url: receiver.url, concurrency: 1 } }, { retry: [] }));
    hooks.deliver();
    hooks.deliver();
    await hooks.sink.deliver(decisions(3), signal);
    await eventually(() => expect(hooks.events.disabled.length).toBeGreaterThanOrEqual(1));
    await hooks.sink.deliver(decisions(2, 10), signal);
    await eventually(async () => {
      const { counts, disabled } = await endpointStatus(placeOf(hooks));
      expect(disabled).toMatch(/^answered 410 on /);
      expect(counts).toMatchObject({ waiting: 5, active: 0, failed: 0, delivered: 0 });
    });
    const before = receiver.requests.length;
    receiver.answer(204);
    await switchEndpoint(placeOf(hooks), 'enable');
    await eventually(() => expect(receiver.requests.length).toBe(before + 5));
    expect(new Set(receiver.ids().slice(before)).size).toBe(5);
    expect((await endpointStatus(placeOf(hooks))).disabled).toBeUndefined();
  });

  it('leaves an endpoint alone after failures in a row, then sends one probe first, of all processes', async () => {
    const receiver = await startReceiver();
    receiver.answer(500);
    const hooks = openHooks(
      configOf(
        { acme: { url: receiver.url, concurrency: 4 } },
        { retry: ['10ms', '1h'], breaker: { failures: 4, pause: '1s', max_pause: '1s' } },
      ),
    );
    hooks.deliver();
    hooks.deliver();
    await hooks.sink.deliver(decisions(30), signal);
    await eventually(() => expect(hooks.events.breakerOpened.length).toBeGreaterThanOrEqual(3));
    const opened = receiver.requests.length;
    // Those that were under way while it opened, of two processes, and one probe for each time it opened again; else 60.
    expect(opened).toBeLessThanOrEqual(4 + 2 * 8 + hooks.events.breakerOpened.length);
    const waiting = await endpointStatus(placeOf(hooks));
    expect(waiting.breaker.openings).toBeGreaterThanOrEqual(3);
    expect(waiting.counts.waiting).toBeGreaterThan(0);
    // Who waits has used up no attempt: everything is delivered by the schedule of two.
    receiver.answer(204);
    await eventually(() => expect(hooks.events.breakerClosed.length).toBeGreaterThanOrEqual(1));
    await eventually(async () => {
      const { counts, breaker } = await endpointStatus(placeOf(hooks));
      expect(counts.waiting + counts.active).toBe(0);
      expect(breaker).toEqual({ failures: 0, openings: 0, opened: 0 });
    });
    expect(hooks.events.exhausted).toEqual([]);
  });

  it('is not delayed by other endpoints that are slow, dead or refuse', async () => {
    const [good, slow, dead] = [await startReceiver(), await startReceiver(), await startReceiver()];
    const waiting: (() => void)[] = [];
    slow.answer((response) => void waiting.push(() => response.writeHead(204).end()));
    dead.answer((response) => response.destroy());
    const hooks = openHooks(
      configOf(
        {
          slow: { url: slow.url, concurrency: 2 },
          dead: dead.url,
          closed: 'http://127.0.0.1:1/',
          good: good.url,
        },
        { retry: ['1h'] },
      ),
    );
    hooks.deliver();
    await hooks.sink.deliver(decisions(100), signal);
    await eventually(() => expect(good.requests).toHaveLength(100));
    // Not one answer of the slow one has come meanwhile.
    expect(slow.requests).toHaveLength(2);
    expect(hooks.events.attempted.filter(({ endpoint }) => endpoint === 'hooks/slow')).toEqual([]);
    for (const answer of waiting) answer();
  });

  it('ends what is under way when it is stopped, and gives back what does not end', async () => {
    const receiver = await startReceiver();
    const answers: (() => void)[] = [];
    receiver.answer((response) => void answers.push(() => response.writeHead(204).end()));
    const hooks = openHooks(configOf({ acme: { url: receiver.url, concurrency: 1 } }));
    const first = hooks.deliver();
    await hooks.sink.deliver(decisions(2), signal);
    await eventually(() => expect(answers).toHaveLength(1));
    const stopped = first.stop(60_000);
    answers[0]!();
    await stopped;
    expect(await endpointStatus(placeOf(hooks))).toMatchObject({
      counts: { delivered: 1, waiting: 1, active: 0 },
    });

    const second = hooks.deliver();
    await eventually(() => expect(answers).toHaveLength(2));
    await second.stop(0);
    expect(await endpointStatus(placeOf(hooks))).toMatchObject({
      counts: { delivered: 1, waiting: 1, active: 0 },
    });

    receiver.answer(204);
    hooks.deliver();
    await eventually(() => expect(receiver.ids()).toEqual(['content-0-0', 'content-0-1', 'content-0-1']));
  });

  it('stops, and is measured, without waiting for a Redis that hangs', async () => {
    const receiver = await startReceiver();
    receiver.answer(() => undefined);
    const { url, signal: send } = await ownRedis();
    const hooks = openHooks(configOf({ acme: receiver.url }, { redis: url }));
    const delivery = hooks.deliver();
    await hooks.sink.deliver(decisions(2), signal);
    await eventually(() => expect(receiver.requests).toHaveLength(2));
    const other = createRedis({ url, at: 'test' });
    await other.ready();
    await send('SIGSTOP');
    onTestFinished(() => send('SIGCONT'));
    // What asks Redis and waits for its own time-out ends after both.
    const order: string[] = [];
    const asked = other.client.ping().catch(() => order.push('time-out'));
    await delivery.measure();
    order.push('measured');
    await delivery.stop(0);
    order.push('stopped');
    await asked;
    expect(order).toEqual(['measured', 'stopped', 'time-out']);
    other.close();
  });

  it('is woken when there is something to send, also after Redis was away', async () => {
    const receiver = await startReceiver();
    const { url, kill, start } = await ownRedis();
    const hooks = openHooks(configOf({ acme: receiver.url }, { redis: url }));
    const delivery = hooks.deliver();
    const channel = wakeChannel(hooks.config.prefix, 'hooks');
    const subscribed = () =>
      eventually(async () => expect(await hooks.redis.pubsub('NUMSUB', channel)).toEqual([channel, 1]));
    await subscribed();
    expect(hooks.events.queueFailed).toEqual([]);
    await hooks.sink.deliver(decisions(1), signal);
    await eventually(() => expect(receiver.ids()).toEqual(['content-0-0']));
    await kill();
    await eventually(() => expect(delivery.unready()).toMatch(/no connection to Redis/));
    await start();
    await subscribed();
    await eventually(() => hooks.sink.deliver(decisions(2), signal));
    await eventually(() => expect(new Set(receiver.ids())).toEqual(new Set(['content-0-0', 'content-0-1'])));
  });

  it('measures what queues hold', async () => {
    const receiver = await startReceiver();
    receiver.answer(500);
    const hooks = openHooks(
      configOf({ acme: receiver.url, other: { url: receiver.url, customers: ['x'] } }, { retry: ['1h'] }),
    );
    await hooks.sink.deliver(decisions(3), signal);
    const delivery = hooks.deliver();
    await eventually(async () => {
      await delivery.measure();
      expect(hooks.events.measured.slice(-2)).toEqual([
        expect.objectContaining({
          endpoint: 'hooks/acme',
          delayed: 3,
          waiting: 0,
          disabled: false,
          open: false,
          oldest: 0,
        }),
        expect.objectContaining({ endpoint: 'hooks/other', delayed: 0 }),
      ]);
    });
    expect(delivery.unready()).toBeUndefined();
  });
});

import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { stringify } from 'yaml';
import { createKafkaFixture, kafkaOf } from '../ingest/kafka-fixture.ts';
import { sampleDecision } from '../sample-decision.ts';
import { configOf, eventually, openHooks, signal } from '../sinks/webhooks/fixture.ts';
import { ownRedis } from '../sinks/webhooks/own-redis.ts';
import { SECRET, startReceiver } from '../sinks/webhooks/receiver.ts';
import { scratch, sluice, start, writeConfig } from './cli.ts';

/** Words that the bundled model blocks, and words that it does not. */
const BAD = 'you are a stupid worthless idiot, go kill yourself you piece of shit';
const GOOD = 'thanks, the new park is lovely in spring';

function messages(count: number, from = 0): string[] {
  return Array.from({ length: count }, (_, n) =>
    JSON.stringify({ id: `m${from + n}`, customer: `c${n % 3}`, text: n % 5 === 0 ? `${BAD} ${n}` : GOOD }),
  );
}

/** A sink of the configuration file, for receivers on this machine. */
function sinkOf(redis: string, endpoints: Record<string, object>, more: object = {}) {
  return {
    type: 'webhooks',
    redis,
    prefix: `e2e-${randomUUID().slice(0, 8)}`,
    allow_http: true,
    allow_private: ['127.0.0.0/8'],
    retry: Array.from({ length: 50 }, () => '300ms'),
    breaker: { failures: 10, pause: '500ms', max_pause: '1s' },
    endpoints: Object.fromEntries(
      Object.entries(endpoints).map(([name, endpoint]) => [name, { secrets: [SECRET], ...endpoint }]),
    ),
    ...more,
  };
}

describe('webhooks', () => {
  it('tells every blocked decision at least once, with the same id, through kills of Sluice, a Redis restart and a receiver that fails', async () => {
    const kafka = await createKafkaFixture({ partitions: 2 });
    onTestFinished(() => kafka.remove());
    const redis = await ownRedis();
    const receiver = await startReceiver();
    const directory = scratch();
    const config = writeConfig(directory, {
      name: 'hooks',
      kafka: { brokers: kafkaOf().brokers },
      source: {
        type: 'kafka',
        topics: [kafka.topic],
        group: kafka.group,
        session_timeout: '6s',
        heartbeat_interval: '1s',
      },
      sinks: { hooks: sinkOf(redis.url, { acme: { url: receiver.url, actions: ['block'] } }) },
    });
    const seen = () => new Set(receiver.ids());
    const more = async (from: number) => {
      await kafka.produce(0, messages(50, from));
      await kafka.produce(1, messages(50, from + 50));
    };

    await more(0);
    const first = start(['run', config]);
    await eventually(() => expect(seen().size).toBeGreaterThan(0), 60_000);
    const afterFirst = seen().size;
    first.process.kill('SIGKILL');
    await first.finished;
    await more(100);

    // It answers 500, then Redis dies under it.
    receiver.answer(500);
    const second = start(['run', config]);
    const failing = receiver.requests.length;
    await eventually(() => expect(receiver.requests.length).toBeGreaterThan(failing + 5), 60_000);
    await redis.kill();
    await more(200);
    await redis.start();
    receiver.answer(204);
    await eventually(() => expect(seen().size).toBeGreaterThan(afterFirst), 60_000);
    second.process.kill('SIGKILL');
    await second.finished;
    await more(300);

    const third = start(['run', config]);
    let log = '';
    third.process.stderr!.on('data', (chunk: string) => (log += chunk));
    // Each fifth message of 50, in two partitions of 200.
    const expected = [0, 1].flatMap((partition) =>
      Array.from({ length: 40 }, (_, n) => `${kafka.topic}-${partition}-${n * 5}`),
    );
    await eventually(() => expect([...seen()].toSorted(), log).toEqual(expected.toSorted()), 90_000);
    const list = async (file: string) => {
      const { stdout } = await sluice(['webhooks', 'list', file, '--json']);
      return JSON.parse(stdout) as { counts: { active: number; delayed: number } }[];
    };
    // What the killed process had sent and not settled is sent again.
    await eventually(
      async () => expect(await list(config)).toMatchObject([{ counts: { active: 0, delayed: 0 } }]),
      60_000,
    );
    third.process.kill('SIGTERM');
    const { code, stderr } = await third.finished;
    expect(code, stderr).toBe(0);

    for (const { id, decisions } of receiver.requests) expect([id]).toEqual(decisions);
    expect(await list(config)).toMatchObject([
      { endpoint: 'hooks/acme', state: 'active', counts: { waiting: 0, failed: 0, delivered: 80 } },
    ]);

    // The same topic from its start, by another group: nothing is sent that was delivered.
    const before = receiver.requests.length;
    const text = stringify({
      name: 'again',
      kafka: { brokers: kafkaOf().brokers },
      source: { type: 'kafka', topics: [kafka.topic], group: `${kafka.group}-again` },
      archive: { store: { type: 'directory', path: './again' } },
      sinks: {
        hooks: sinkOf(
          redis.url,
          { acme: { url: receiver.url, actions: ['block'] } },
          { prefix: prefixOf(config) },
        ),
      },
    });
    const again = join(directory, 'again.yaml');
    writeFileSync(again, text);
    const replayed = await sluice(['run', again, '--until-end', '--json']);
    expect([replayed.code, JSON.parse(replayed.stdout)]).toEqual([0, expect.objectContaining({ rows: 400 })]);
    expect(await list(again)).toMatchObject([{ counts: { waiting: 0, delayed: 0, delivered: 80 } }]);
    expect(receiver.requests.length).toBe(before);
  });

  it('is delivered by processes of its own; one that is killed loses nothing, and another takes over', async () => {
    const redis = await ownRedis();
    const receiver = await startReceiver();
    const endpoint = { url: receiver.url, concurrency: 4, actions: ['review', 'block'] };
    const sink = sinkOf(redis.url, { acme: endpoint }, { deliver: 'own' });
    const config = writeConfig(scratch(), {
      source: { type: 'file', inputs: ['none.jsonl'] },
      sinks: { hooks: sink },
      server: { listen: '127.0.0.1:0' },
    });
    const hooks = openHooks(
      configOf({ acme: { url: receiver.url } }, { redis: redis.url, prefix: sink.prefix }),
    );
    const batch = Array.from({ length: 20 }, (_, n) => sampleDecision(n));
    await hooks.sink.deliver(batch, signal);

    // The first process dies with four requests that were never answered.
    receiver.answer(() => undefined);
    const dying = start(['deliver', config]);
    await eventually(() => expect(receiver.requests).toHaveLength(4), 60_000);
    dying.process.kill('SIGKILL');
    await dying.finished;
    receiver.answer(204);
    const heir = start(['deliver', config]);
    let log = '';
    heir.process.stderr!.on('data', (chunk: string) => (log += chunk));
    await eventually(
      () => expect(new Set(receiver.requests.slice(4).map(({ id }) => id)).size).toBe(20),
      60_000,
    );
    expect(receiver.requests).toHaveLength(24);

    const address = await eventually(() => /"address":"(http[^"]+)"/.exec(log)![1]!);
    expect((await fetch(`${address}/ready`)).status).toBe(200);
    await eventually(async () => {
      const metrics = await (await fetch(`${address}/metrics`)).text();
      const line = (name: string) =>
        metrics.split('\n').find((each) => each.startsWith(`sluice_webhook_${name} `));
      expect([
        line('delivered_decisions_total{endpoint="hooks/acme"}'),
        line('queue_decisions{endpoint="hooks/acme",state="active"}'),
      ]).toEqual([expect.stringMatching(/ 20$/), expect.stringMatching(/ 0$/)]);
    });
    await redis.kill();
    await eventually(async () => expect((await fetch(`${address}/ready`)).status).toBe(503));
    await redis.start();
    await eventually(async () => expect((await fetch(`${address}/ready`)).status).toBe(200));
    await eventually(() => hooks.sink.deliver([sampleDecision(50)], signal));
    await eventually(() => expect(receiver.ids()).toContain('content-0-50'));
    heir.process.kill('SIGTERM');
    const { code, stderr } = await heir.finished;
    expect(code, stderr).toBe(0);
    expect(stderr).not.toMatch(/toxic|whsec_/);
  });

  it('has commands that list, test, log, send again, disable and enable', async () => {
    const receiver = await startReceiver();
    const config = configOf(
      { acme: receiver.url, other: { url: receiver.url, customers: ['x'] } },
      { retry: ['10ms'] },
    );
    const hooks = openHooks(config);
    const directory = scratch();
    const file = join(directory, 'c.yaml');
    const { allow_http, allow_private, prefix, redis } = config;
    const endpoints = {
      acme: { url: receiver.url, secrets: [SECRET] },
      other: { url: receiver.url, secrets: [SECRET], customers: ['x'] },
    };
    writeFileSync(
      file,
      stringify({
        source: { type: 'file', inputs: ['none.jsonl'] },
        sinks: { hooks: { type: 'webhooks', redis, prefix, allow_http, allow_private, endpoints } },
      }),
    );
    const webhooks = async (...args: string[]) => {
      const { code, stdout, stderr } = await sluice(['webhooks', ...args]);
      return { code, text: (stdout || stderr).trimEnd() };
    };

    receiver.answer((response) => response.writeHead(202).end('thank\u001b[31m you'));
    expect(await webhooks('test', file, 'acme')).toEqual({
      code: 0,
      text: expect.stringMatching(
        /^hooks\/acme: webhook sluice-example-0-\d+: 202 after \d+ ms\n {2}it says: "thank\\u001b\[31m you"$/,
      ),
    });
    receiver.answer(500);
    expect(await webhooks('test', file, 'hooks/acme', '--json')).toMatchObject({
      code: 1,
      text: expect.stringContaining('"status":500'),
    });

    hooks.deliver();
    await hooks.sink.deliver([sampleDecision(1), sampleDecision(2)], signal);
    await eventually(() => expect(hooks.events.exhausted).toHaveLength(2));
    receiver.answer(204);
    await hooks.sink.deliver([sampleDecision(3)], signal);
    await eventually(() =>
      expect(hooks.events.attempted.filter(({ outcome }) => outcome === 'delivered')).toHaveLength(1),
    );
    const list = await webhooks('list', file);
    expect(list.text).toContain(
      `hooks/acme  active  ${receiver.url}\n  0 waiting, 0 being sent, 0 to be tried again, 2 failed, 1 delivered\n  last: 204 in `,
    );
    expect(list.text).toContain('last: nothing was sent yet');
    const log = await webhooks('log', file, 'acme', 'content-0-1');
    expect(log.text).toMatch(
      /^content-0-1 at hooks\/acme: failed, queued .*\n .*attempt 1: 500 in \d+ ms\n .*attempt 2: 500 in \d+ ms$/,
    );

    expect((await webhooks('disable', file, 'acme')).text).toMatch(/is disabled/);
    const requests = receiver.requests.length;
    expect(await webhooks('redeliver', file, 'acme', '--failed', '--dry-run')).toMatchObject({
      text: 'hooks/acme: 2 would be sent again\n  content-0-1\n  content-0-2',
    });
    expect(JSON.parse((await webhooks('redeliver', file, 'acme', '--failed', '--json')).text)).toMatchObject({
      ids: ['content-0-1', 'content-0-2'],
      missing: [],
      underway: [],
    });
    expect((await webhooks('redeliver', file, 'acme', '--id', 'content-0-3', 'content-0-4')).text).toMatch(
      /1 sent again\n.*content-0-4 is not known/,
    );
    expect((await webhooks('list', file)).text).toMatch(
      /hooks\/acme {2}disabled \(disabled by command on .*\n {2}3 waiting/,
    );
    expect(receiver.requests.length).toBe(requests);
    expect((await webhooks('enable', file, 'acme')).text).toBe('hooks/acme is enabled: 3 decisions are sent');
    await eventually(() =>
      expect(receiver.ids().slice(requests).toSorted()).toEqual([
        'content-0-1',
        'content-0-2',
        'content-0-3',
      ]),
    );
    const sent = await eventually(async () => {
      const { text } = await webhooks(
        'redeliver',
        file,
        'acme',
        '--since',
        '2026-03-01',
        '--until',
        '2026-03-02',
        '--json',
      );
      expect(JSON.parse(text)).toMatchObject({ underway: [] });
      return JSON.parse(text) as { ids: string[] };
    });
    expect(sent.ids).toEqual(['content-0-1', 'content-0-2', 'content-0-3']);

    const failures = await Promise.all([
      webhooks('log', file, 'acme', 'nothing-0-1'),
      webhooks('test', file, 'acne'),
      webhooks('redeliver', file, 'acme', '--failed', '--id', 'x'),
    ]);
    expect(failures.map(({ code }) => code)).toEqual([1, 1, 1]);
    expect(failures[0].text).toMatch(
      /^sluice: expected a decision that hooks\/acme was sent, got nothing-0-1/,
    );
    expect(failures[1].text).toMatch(/^sluice: expected an endpoint of .*did you mean/);
    expect(failures[2].text).toMatch(/^sluice: expected one of --id, --failed, or --since/);
  });
});

/** The prefix that a configuration file has. */
function prefixOf(file: string): string {
  return /prefix: (\S+)/.exec(readFileSync(file, 'utf8'))![1]!;
}

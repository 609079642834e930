import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createKafkaFixture, kafkaOf, type KafkaFixture } from '../ingest/kafka-fixture.ts';
import { rows, scratch, sluice, start, writeConfig } from './cli.ts';

const KEY = 'acme-key-0123456789';
const EVERY = ['allow', 'review', 'block'];

describe('sluice api', () => {
  let content: KafkaFixture;
  let feedback: KafkaFixture;
  let decisions: KafkaFixture;
  beforeAll(async () => {
    [content, feedback, decisions] = await Promise.all([
      createKafkaFixture({ partitions: 2 }),
      createKafkaFixture(),
      createKafkaFixture(),
    ]);
  });
  afterAll(async () => {
    await Promise.all([content.remove(), feedback.remove(), decisions.remove()]);
  });

  function configOf(changes: Record<string, unknown> = {}) {
    const directory = scratch();
    const config = writeConfig(directory, {
      kafka: { brokers: kafkaOf().brokers },
      source: {
        type: 'kafka',
        topics: [content.topic],
        group: content.group,
        session_timeout: '6s',
        heartbeat_interval: '1s',
      },
      feedback: { topic: feedback.topic },
      classify: { workers: 1, policies: { default: { labels: { toxic: { block: 0.6 } } } } },
      sinks: { decisions: { type: 'kafka', topic: decisions.topic, actions: EVERY } },
      api: {
        listen: '127.0.0.1:0',
        metrics_listen: '127.0.0.1:0',
        keys: { acme: [KEY] },
        wait: '60s',
        max_wait: '60s',
      },
      ...changes,
    });
    return { config, directory };
  }

  /** Starts a command and resolves when its log has an event. */
  async function started(command: string, config: string, action: string) {
    const run = start([command, config]);
    let log = '';
    run.process.stderr!.on('data', (chunk: string) => (log += chunk));
    const events = (name: string) =>
      log
        .split('\n')
        .filter((line) => line.includes(`"event.action":"${name}"`))
        .map((line) => JSON.parse(line) as { sluice: Record<string, string> } & Record<string, unknown>);
    await vi.waitFor(() => expect(events(action), log).not.toEqual([]), 60_000);
    return { ...run, events, log: () => log };
  }

  const post = async (address: string, path: string, body: object) => {
    const headers = { authorization: KEY, 'content-type': 'application/json' };
    const response = await fetch(`${address}${path}`, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };

  it('takes content, answers with its classification, and what it took is archived', async () => {
    const { config, directory } = configOf();
    const door = await started('api', config, 'api-started');
    const pipeline = await started('run', config, 'assignment-recovered');
    const [address, metrics] = ['api-started', 'server-started'].map(
      (action) => door.events(action)[0]!.sluice['address']!,
    );

    const tracked = await post(address!, '/track/content', {
      id: 'insult',
      type: 'post',
      user_id: 'u1',
      content: { text: 'you are a worthless idiot, I hate you', format: 'plain' },
      context_id: 'thread-1',
      options: { classifiers: ['toxic', 'no-such-label'] },
    });
    expect(tracked).toMatchObject({
      status: 200,
      body: {
        id: 'insult',
        classifiers: { id: 'insult', classification: [{ label: 'toxic', confidence: expect.any(Number) }] },
        unknown_classifiers: ['no-such-label'],
        action: 'block',
        reasons: [{ label: 'toxic', threshold: 0.6 }],
      },
    });
    const kind = await post(address!, '/track/content?wait=60s', {
      id: 'kind',
      type: 'post',
      content: { text: 'thank you, see you tomorrow' },
    });
    expect(kind.body).toMatchObject({ action: 'allow', reasons: [] });
    const labels = (kind.body['classifiers'] as { classification: { label: string }[] }).classification;
    expect(labels.map(({ label }) => label)).toEqual(expect.arrayContaining(['toxic', 'spam']));

    const targets = [{ content_id: 'insult' }, { content_id: 'kind' }];
    for (const [path, id, body] of [
      ['/track/flag', 'f1', { flagger_id: 'u2', reasons: ['insult'], targets }],
      [
        '/track/moderation',
        'm1',
        { moderator_id: 'mod', action: 'user_warned', automated: true, target: targets[0] },
      ],
      ['/track/appeal', 'a1', { appellant_id: 'u1', note: 'a quote', target: targets[0] }],
    ] as const)
      expect(await post(address!, path, { id, ...body })).toEqual({ status: 200, body: { id } });

    const text = await (await fetch(`${metrics}/metrics`)).text();
    expect(text).toContain('sluice_api_requests_total{route="/track/content",status="200"} 2');
    expect(text).toContain('sluice_api_waits_total{outcome="decided"} 2');
    expect((await fetch(`${metrics}/ready`)).status).toBe(200);

    for (const { process } of [door, pipeline]) process.kill('SIGTERM');
    for (const { finished } of [door, pipeline]) {
      const { code, stderr } = await finished;
      expect(code, stderr).toBe(0);
    }
    // What it had not read yet.
    const rest = await sluice(['run', config, '--until-end']);
    expect(rest.code, rest.stderr).toBe(0);
    expect(door.log()).not.toContain(KEY);
    expect(door.events('api-served')[0]).toMatchObject({
      sluice: { customer: 'acme', wait: 'decided' },
      'url.path': '/track/content',
      'http.response.status_code': 200,
    });
    const archived = await rows(
      directory,
      `SELECT id, customer, content_id, content, user_id, content_type, action, metadata['context_id'] AS context,
        metadata['content'] AS format FROM content ORDER BY content_id`,
    );
    expect(archived).toMatchObject([
      {
        id: tracked.body['decision_id'],
        customer: 'acme',
        content_id: 'insult',
        content: 'you are a worthless idiot, I hate you',
        user_id: 'u1',
        content_type: 'post',
        action: 'block',
        context: 'thread-1',
        format: '{"format":"plain"}',
      },
      { id: kind.body['decision_id'], content_id: 'kind', action: 'allow' },
    ]);
    const joined = await rows(
      directory,
      `SELECT feedback_id, kind, actor_id, f.action AS done, automated, note, f.reasons, c.action AS decided
        FROM feedback f JOIN content c USING (customer, content_id) ORDER BY feedback_id, content_id`,
    );
    const none = { done: null, automated: null, note: null, reasons: null };
    const flag = { ...none, feedback_id: 'f1', kind: 'flag', actor_id: 'u2', reasons: ['insult'] };
    const moderation = { ...none, kind: 'moderation', done: 'user_warned', automated: true };
    expect(joined).toEqual([
      { ...none, feedback_id: 'a1', kind: 'appeal', actor_id: 'u1', note: 'a quote', decided: 'block' },
      { ...flag, decided: 'block' },
      { ...flag, decided: 'allow' },
      { ...moderation, feedback_id: 'm1', actor_id: 'mod', decided: 'block' },
    ]);
  });

  it('is part of what `check` tries', async () => {
    const { code, stdout, stderr } = await sluice(['check', configOf().config]);
    expect(code, stderr).toBe(0);
    expect(stdout).toContain(`api.topic: topic ${content.topic} is there`);
    expect(stdout).toContain(`sinks: topic ${decisions.topic} is there`);
  });

  it.each([
    ['no api section', { api: undefined }, /^sluice: api: expected a section/m],
    [
      'a decisions topic that is told some only',
      { sinks: { some: { type: 'kafka', topic: 'd' } } },
      /api\.max_wait: .*sinks\.some/,
    ],
    [
      'an address that is taken',
      { api: { keys: { acme: [KEY] }, max_wait: '0s', listen: kafkaOf().brokers[0] } },
      /api\.listen: expected a free address/,
    ],
    [
      'a topic that is missing',
      { source: { type: 'kafka', topics: ['no-such-topic'] } },
      /api\.topic: .*no-such-topic/,
    ],
  ])('refuses to start with %s, and names it', async (_, changes, expected) => {
    const { code, stderr } = await sluice(['api', configOf(changes).config]);
    expect([code, stderr]).toEqual([1, expect.stringMatching(expected)]);
    expect(stderr).not.toContain('    at ');
  });
});

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { decisionSchema, type Decision } from '../../src/decision.ts';
import { createKafkaFixture, kafkaOf, type KafkaFixture } from '../ingest/kafka-fixture.ts';
import { recordsOf } from '../ingest/kafka-records.ts';
import { rows, scratch, sluice, start, writeConfig } from './cli.ts';

const TEXTS = ['thank you, see you tomorrow', 'you are a worthless idiot, I hate you', 'the train is late'];
const messages = Array.from({ length: 300 }, (_, n) =>
  JSON.stringify({
    id: `m${n}`,
    customer: `c${n % 3}`,
    text: TEXTS[n % TEXTS.length],
    created_at: '2026-01-05T10:00:00Z',
  }),
);

describe('decisions topic', () => {
  let kafka: KafkaFixture;
  beforeAll(async () => {
    kafka = await createKafkaFixture({ partitions: 2 });
    await kafka.produce(0, messages.slice(0, 200));
    await kafka.produce(1, messages.slice(200));
  });
  afterAll(() => kafka.remove());

  function configOf(
    name: string,
    sinks: object,
    { topic = kafka.topic, ...more }: { topic?: string; stop_timeout?: string } = {},
  ) {
    const directory = scratch();
    const config = writeConfig(directory, {
      name,
      kafka: { brokers: kafkaOf().brokers },
      source: {
        type: 'kafka',
        topics: [topic],
        group: `${kafka.group}-${name}`,
        session_timeout: '6s',
        heartbeat_interval: '1s',
      },
      classify: { workers: 1, policies: { default: { labels: { toxic: { block: 0.6 } } } } },
      archive: { store: { type: 'directory', path: 'out' } },
      sinks,
      ...more,
    });
    return { config, out: directory };
  }

  async function countOf({ admin, topic }: KafkaFixture): Promise<number> {
    return (await admin.fetchTopicOffsets(topic)).reduce((sum, { high }) => sum + Number(high), 0);
  }

  async function decisionsOf(topic: KafkaFixture): Promise<Decision[]> {
    return (await recordsOf(topic.topic, await countOf(topic))).map(({ value }) =>
      decisionSchema.strict().parse(JSON.parse(String(value))),
    );
  }

  it('has every decision that is wanted at least once, before its row is archived, whatever process died', async () => {
    const decisions = await createKafkaFixture();
    const { config, out } = configOf('killed', { decisions: { type: 'kafka', topic: decisions.topic } });
    for (const point of ['before-manifest', 'before-commit', 'after-commit']) {
      const killed = await sluice(['run', config, '--until-end'], { env: { SLUICE_CRASH_AT: point } });
      expect(killed.signal, killed.stderr).toBe('SIGKILL');
    }
    const last = await sluice(['run', config, '--until-end']);
    expect(last.code, last.stderr).toBe(0);

    const archived = await rows(
      out,
      `SELECT id, action, content_id, customer, model, policy, reasons FROM content ORDER BY id`,
    );
    expect(archived).toHaveLength(300);
    const told = await decisionsOf(decisions);
    // Three of the runs came as far as telling.
    expect(told).toHaveLength(300);
    const byId = new Map(told.map((decision) => [decision.id, decision]));
    expect(byId.size).toBe(100);
    for (const { id, action, ...row } of archived) {
      const decision = byId.get(String(id));
      expect(decision?.action ?? 'allow').toBe(action);
      if (!decision) continue;
      expect(row).toEqual({
        content_id: decision.content_id,
        customer: decision.customer,
        model: decision.model,
        policy: decision.policy,
        reasons: decision.reasons.map(({ label }) => label),
      });
      for (const { score, threshold } of decision.reasons) expect(score).toBeGreaterThanOrEqual(threshold);
    }
    // A repeat says the same of the same message.
    for (const { decided_at: _1, received_at: _2, timings: _3, ...decision } of told)
      expect(byId.get(decision.id)).toMatchObject(decision);
    await decisions.remove();
  });

  it('keeps what a sink refuses as dead letters, and archives the row all the same', async () => {
    const decisions = await createKafkaFixture({ topicConfig: { 'max.message.bytes': '100' } });
    const { config, out } = configOf('refused', { decisions: { type: 'kafka', topic: decisions.topic } });
    const { code, stderr, stdout } = await sluice(['run', config, '--until-end', '--json']);
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ rows: 300, dead_letters: 0 });
    expect(stderr).toContain('"event.action":"refused"');
    const letters = await rows(
      out,
      `SELECT stage, code, count(*) AS letters, count(DISTINCT "offset" * 10 + "partition") AS positions FROM dead_letters GROUP BY ALL`,
    );
    expect(letters).toEqual([{ stage: 'deliver', code: 'too_large', letters: 100n, positions: 100n }]);
    expect((await sluice(['verify', config])).code).toBe(0);
    await decisions.remove();
  });

  it('commits nothing that a sink was not told while it does not answer, and ends in time when it is stopped', async () => {
    const [content, decisions] = await Promise.all([createKafkaFixture(), createKafkaFixture()]);
    const { config, out } = configOf(
      'away',
      { decisions: { type: 'kafka', topic: decisions.topic } },
      { topic: content.topic, stop_timeout: '3s' },
    );
    const run = start(['run', config]);
    let log = '';
    run.process.stderr!.on('data', (chunk: string) => (log += chunk));
    // Its topic is gone after the check at the start.
    await vi.waitFor(() => expect(log).toContain('assignment-recovered'), 60_000);
    await content.produce(0, messages.slice(0, 30));
    await vi.waitFor(async () => expect(await countOf(decisions)).toBe(10), 60_000);
    await decisions.remove();
    await content.produce(0, messages.slice(30));
    await vi.waitFor(() => expect(log).toContain('delivery-retried'), 60_000);
    run.process.kill('SIGTERM');
    const { code, stderr } = await run.finished;
    expect(code).toBe(1);
    expect(stderr).toMatch(/\nsluice: sink decisions does not answer.*next run/);
    // What everybody was told is archived all the same.
    expect(await rows(out, 'SELECT count(*) AS n FROM content')).toEqual([{ n: 30n }]);
    await content.remove();
  });
});

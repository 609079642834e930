import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { query } from '../../src/archive/index.ts';
import { createKafkaFixture, kafkaOf, type KafkaFixture } from '../ingest/kafka-fixture.ts';
import { makeBucket, s3Endpoint } from '../services/s3-bucket.ts';
import { rows, scratch, sluice, start, writeConfig } from './cli.ts';

const PARTITIONS = 2;

/** Content n, and feedback n on content n of the same customer; every fifth is about content that nobody sent. */
const customerOf = (n: number) => `c${n % 3}`;
const isStray = (n: number) => n % 5 === 0;
const content = (n: number) =>
  JSON.stringify({ id: `m${n}`, customer: customerOf(n), text: `text ${n}`, created_at: timeOf(n) });
const feedback = (n: number) =>
  JSON.stringify({
    id: `f${n}`,
    kind: n % 2 === 0 ? 'flag' : 'moderation',
    customer: customerOf(n),
    content_id: isStray(n) ? `stray${n}` : `m${n}`,
    reasons: ['spam'],
    automated: n % 4 === 1,
    created_at: timeOf(n),
  });
const BROKEN = '{"kind":"flag","customer":"c0"}';
const timeOf = (n: number) => new Date(Date.UTC(2026, 0, 5) + n * 60_000).toISOString();

describe('feedback beside content', () => {
  let contents: KafkaFixture;
  let feedbacks: KafkaFixture;
  beforeAll(async () => {
    [contents, feedbacks] = await Promise.all([
      createKafkaFixture({ partitions: PARTITIONS }),
      createKafkaFixture({ partitions: PARTITIONS }),
    ]);
  });
  afterAll(async () => {
    await Promise.all([contents.remove(), feedbacks.remove()]);
  });

  let produced = 0;
  async function produce(to: number): Promise<void> {
    for (; produced < to; produced += 100) {
      const some = Array.from({ length: 100 }, (_, i) => produced + i);
      const partition = (produced / 100) % PARTITIONS;
      await contents.produce(partition, some.map(content));
      await feedbacks.produce(partition, [...some.map(feedback), BROKEN]);
    }
  }

  function configOf(directory: string, name: string, more: Record<string, unknown> = {}) {
    const { kafka, source, feedback: section, archive } = more as Record<string, object | undefined>;
    return writeConfig(directory, {
      name,
      kafka: { brokers: kafkaOf().brokers, ...kafka },
      source: {
        type: 'kafka',
        topics: [contents.topic],
        group: `${contents.group}-${name}`,
        session_timeout: '6s',
        heartbeat_interval: '1s',
        ...source,
      },
      feedback: { topic: feedbacks.topic, ...section },
      classify: { model: 'drop', workers: 1 },
      archive: { store: { type: 'directory', path: './out' }, ...archive },
    });
  }

  it('is in its own table exactly once, after kill -9 at any point, and joins with the content', async () => {
    const directory = scratch();
    const config = configOf(directory, 'killed', { archive: { rotate: { rows: 400 } } });
    await produce(800);
    // Committed, and not one file of it published.
    const crashed = await sluice(['run', config, '--until-end'], {
      env: { SLUICE_CRASH_AT: 'after-commit' },
    });
    expect(crashed.signal, crashed.stderr).toBe('SIGKILL');
    for (let kill = 1; kill <= 2; kill++) {
      await produce(800 + kill * 1200);
      const run = start(['run', config]);
      let log = '';
      run.process.stderr!.on('data', (chunk: string) => (log += chunk));
      await vi.waitFor(() => expect(log).toContain('"event.action":"flushed"'), 60_000);
      run.process.kill('SIGKILL');
      expect((await run.finished).signal).toBe('SIGKILL');
    }
    await produce(3600);
    const last = await sluice(['run', config, '--until-end']);
    expect(last.code, last.stderr).toBe(0);

    const verified = await sluice(['verify', config, '--json']);
    expect([verified.code, JSON.parse(verified.stdout)], verified.stdout).toEqual([
      0,
      expect.objectContaining({ rows: 2 * produced, dead_letters: produced / 100, violations: 0 }),
    ]);
    const idsOf = async (column: string, table: string) =>
      (await rows(directory, `SELECT ${column} AS id FROM ${table}`)).map(({ id }) => String(id)).toSorted();
    const all = Array.from({ length: produced }, (_, n) => n);
    expect(await idsOf('content_id', 'content')).toEqual(all.map((n) => `m${n}`).toSorted());
    expect(await idsOf('feedback_id', 'feedback')).toEqual(all.map((n) => `f${n}`).toSorted());
    expect(await rows(directory, 'SELECT DISTINCT topic, code FROM dead_letters')).toEqual([
      { topic: feedbacks.topic, code: 'missing_field' },
    ]);

    const pairs = await rows(
      directory,
      `SELECT f.feedback_id AS feedback, c.content_id AS content, f.kind, f.automated
       FROM feedback f LEFT JOIN content c ON c.customer = f.customer AND c.content_id = f.content_id
       ORDER BY substr(f.feedback_id, 2)::INT`,
    );
    expect(pairs).toEqual(
      all.map((n) => ({
        feedback: `f${n}`,
        content: isStray(n) ? null : `m${n}`,
        kind: n % 2 === 0 ? 'flag' : 'moderation',
        automated: n % 4 === 1,
      })),
    );
    const misplaced = await rows(
      directory,
      `SELECT count(*)::INT AS n FROM feedback
       WHERE filename NOT LIKE '%/_feedback/customer=' || customer || '/dt=' || dt || '/%'`,
    );
    expect(misplaced).toEqual([{ n: 0 }]);

    const again = await sluice([
      'replay',
      config,
      '--from-offsets',
      `${feedbacks.topic}:1=0-9`,
      '--label',
      'r',
    ]);
    expect(again.code, again.stderr).toBe(0);
    const replayed = await query('SELECT (SELECT count(*) FROM feedback), (SELECT count(*) FROM content)', {
      root: join(directory, 'out-replays', 'r'),
    });
    expect(replayed.rows).toEqual([[10n, 0n]]);
    expect((await sluice(['verify', config, '--replay', 'r'])).code).toBe(0);
  });

  it.each(['kafkajs', 'confluent'])('is read beside topics that match a pattern, by %s', async (client) => {
    await produce(200);
    const directory = scratch();
    const pattern = `^${contents.topic}$`;
    const config = configOf(directory, `pattern-${client}`, {
      kafka: { client },
      source: { topics: undefined, pattern },
    });
    const checked = await sluice(['check', config]);
    expect(checked.code, checked.stderr).toBe(0);
    expect(checked.stdout).toContain(`topics like ${pattern}, ${feedbacks.topic}, group `);
    const run = await sluice(['run', config, '--until-end']);
    expect(run.code, run.stderr).toBe(0);
    const counts =
      'SELECT (SELECT count(*) FROM content)::INT AS c, (SELECT count(*) FROM feedback)::INT AS f';
    expect(await rows(directory, counts)).toEqual([{ c: produced, f: produced }]);
    expect((await sluice(['verify', config])).code).toBe(0);
  });

  it('is published in S3 as well by the process that comes after a kill -9', async () => {
    await produce(200);
    const bucket = await makeBucket();
    onTestFinished(() => bucket.close());
    const store = { type: 's3', bucket: bucket.name, prefix: 'a/', endpoint: s3Endpoint(), path_style: true };
    const config = configOf(scratch(), 's3', { archive: { store } });
    const crashed = await sluice(['run', config, '--until-end'], {
      env: { SLUICE_CRASH_AT: 'after-commit' },
    });
    expect(crashed.signal, crashed.stderr).toBe('SIGKILL');
    const tables = async () => {
      const keys = (await bucket.keys()).filter((key) => key.endsWith('.parquet'));
      return [...new Set(keys.map((key) => key.slice(0, key.indexOf('customer='))))].toSorted();
    };
    expect(await tables()).toEqual([]);
    const run = await sluice(['run', config, '--until-end']);
    expect(run.code, run.stderr).toBe(0);
    expect(await tables()).toEqual(['a/', 'a/_feedback/']);
    const verified = await sluice(['verify', config, '--json']);
    expect([verified.code, JSON.parse(verified.stdout)], verified.stdout).toEqual([
      0,
      expect.objectContaining({ rows: 2 * produced, dead_letters: produced / 100, violations: 0 }),
    ]);
  });

  it('is named by check when its topic is missing', async () => {
    const config = configOf(scratch(), 'missing', { feedback: { topic: `${feedbacks.topic}x` } });
    const { code, stderr } = await sluice(['check', config]);
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining(
        `feedback.topic: expected a topic, got ${feedbacks.topic}x, which does not exist; did you mean "${feedbacks.topic}"?`,
      ),
    ]);
    expect(stderr).not.toContain('source.topics');
  });

  it('of a file source are all messages, when its topic is that of feedback', async () => {
    const directory = scratch();
    const config = writeConfig(directory, {
      source: { type: 'file', inputs: ['-'], topic: 'feedback' },
      feedback: { topic: 'feedback' },
      classify: { model: 'drop', workers: 1 },
    });
    const run = start(['run', config, '--until-end', '--json'], { stdin: true });
    run.process.stdin!.end(`${[feedback(1), BROKEN, feedback(2)].join('\n')}\n`);
    const { code, stdout, stderr } = await run.finished;
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      rows: 2,
      dead_letters: 1,
      actions: { allow: 0, review: 0, block: 0 },
    });
    expect(await rows(directory, 'SELECT feedback_id FROM feedback ORDER BY ALL')).toEqual([
      { feedback_id: 'f1' },
      { feedback_id: 'f2' },
    ]);
  });
});

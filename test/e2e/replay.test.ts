import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { content } from '../../benchmarks/content.ts';
import type { VerifyReport } from '../../src/archive/index.ts';
import { createKafkaFixture, kafkaOf, type KafkaFixture } from '../ingest/kafka-fixture.ts';
import { makeBucket, s3Endpoint, type TestBucket } from '../services/s3-bucket.ts';
import { scratch, sluice, start, writeConfig } from './cli.ts';

const MESSAGES = 6000;
const EACH = MESSAGES / 2;
const TIME = Date.UTC(2026, 0, 5);

describe('sluice verify and replay, Kafka to S3', () => {
  let kafka: KafkaFixture;
  let bucket: TestBucket;
  beforeAll(async () => {
    [kafka, bucket] = await Promise.all([createKafkaFixture({ partitions: 2 }), makeBucket()]);
    const lines = [...content({ messages: MESSAGES, customers: 4, seed: 6, broken: 0.01 })];
    const messages = lines.map((line, index) => ({
      value: Buffer.from(line),
      timestamp: String(TIME + (index % EACH) * 1000),
    }));
    // One request may have a megabyte.
    for (let from = 0; from < MESSAGES; from += 500)
      await kafka.produce(from < EACH ? 0 : 1, messages.slice(from, from + 500));
  });
  afterAll(async () => {
    await Promise.all([kafka.remove(), bucket.close()]);
  });

  const configOf = () =>
    writeConfig(scratch(), {
      name: 'moderation',
      kafka: { brokers: kafkaOf().brokers },
      source: {
        type: 'kafka',
        topics: [kafka.topic],
        group: kafka.group,
        session_timeout: '6s',
        heartbeat_interval: '1s',
        batch_messages: 256,
      },
      classify: { model: 'drop' },
      archive: {
        store: { type: 's3', bucket: bucket.name, prefix: 'lake/', endpoint: s3Endpoint(), path_style: true },
        rotate: { rows: 700 },
      },
      log: { level: 'error' },
    });
  async function verified(config: string, ...more: string[]): Promise<VerifyReport> {
    const { code, stdout, stderr } = await sluice(['verify', config, '--json', ...more]);
    expect([code, stderr], stdout).toEqual([0, '']);
    return JSON.parse(stdout) as VerifyReport;
  }
  const settled = ({ rows, dead_letters, skipped, absent }: VerifyReport) =>
    rows + dead_letters + skipped + absent;

  it('proves the archive, and finds what is taken away from it', async () => {
    const config = configOf();
    const run = await sluice(['run', config, '--until-end']);
    expect(run.code, run.stderr).toBe(0);
    const report = await verified(config);
    expect(settled(report)).toBe(MESSAGES);
    expect(report.notes).toEqual([]);
    expect(report.partitions.map(({ from, to, committed, end }) => [from, to, committed, end])).toEqual([
      [0, EACH, EACH, EACH],
      [0, EACH, EACH, EACH],
    ]);
    const [key] = (await bucket.keys()).filter((each) => each.endsWith('.parquet'));
    const bytes = await bucket.read(key!);
    await bucket.remove(key!);
    const bad = await sluice(['verify', config]);
    expect([bad.code, bad.stdout.split('\n')[0]]).toEqual([
      1,
      `file_missing ${key!.slice('lake/'.length)}: expected ${bytes.length} bytes, got no file`,
    ]);
  });

  it('replays a range beside the archive exactly once, also when it is killed in between', async () => {
    const config = configOf();
    const range = `${kafka.topic}:0=100-2599,${kafka.topic}:1=5`;
    const replay = ['replay', config, '--from-offsets', range, '--label', 'again'];
    const plan = await sluice([...replay, '--dry-run']);
    expect(plan.stdout).toContain(`${kafka.topic}:0 100 to 2599: 2500 offsets\n`);
    expect(plan.stdout).toContain(`${kafka.topic}:1 5 to ${EACH - 1}: ${EACH - 5} offsets\n`);

    const killed = await start(replay, { env: { SLUICE_CRASH_AT: 'after-commit' } }).finished;
    expect(killed.signal).toBe('SIGKILL');
    const part = await verified(config, '--replay', 'again');
    expect(settled(part)).toBeGreaterThan(0);
    expect(settled(part)).toBeLessThan(2500 + EACH - 5);

    const rest = await sluice(replay);
    expect(rest.code, rest.stderr).toBe(0);
    const whole = await verified(config, '--replay', 'again');
    expect(whole.partitions.map(({ from, to }) => [from, to])).toEqual([
      [100, 2600],
      [5, EACH],
    ]);
    expect(settled(whole)).toBe(2500 + EACH - 5);
    expect((await bucket.keys()).filter((key) => !/^lake(-replays\/again)?\//.test(key))).toEqual([]);

    const again = await sluice(replay);
    expect(again.code).toBe(1);
    expect(again.stderr).toContain('--label again: done already');
    const other = await sluice([
      'replay',
      config,
      '--from-offsets',
      `${kafka.topic}:0=0`,
      '--label',
      'again',
    ]);
    expect(other.stderr).toMatch(
      /--label again: expected a replay of \S+:0 from 0 to 2999, but .* has one from 100 to 2599/,
    );
  });

  it('replays from a time to a time', async () => {
    const config = configOf();
    const [from, to] = [TIME + 10_000, TIME + 20_000].map((time) => new Date(time).toISOString());
    const replay = await sluice([
      'replay',
      config,
      '--from-time',
      from!,
      '--to-time',
      to!,
      '--label',
      'time',
      '--json',
    ]);
    expect(replay.code, replay.stderr).toBe(0);
    expect(
      (await verified(config, '--replay', 'time')).partitions.map((each) => [each.from, each.to]),
    ).toEqual([
      [10, 20],
      [10, 20],
    ]);
  });

  it('says what cannot be replayed', async () => {
    const config = configOf();
    const refused = async (...args: string[]) => {
      const { code, stderr } = await sluice(['replay', config, ...args]);
      expect(code).toBe(1);
      return stderr;
    };
    expect(await refused()).toContain('expected either --from-offsets or --from-time, got neither');
    expect(await refused('--from-offsets', 'other:0=1')).toContain(
      `expected a topic of the source (${kafka.topic}), got other`,
    );
    expect(await refused('--from-offsets', `${kafka.topic}:0=${MESSAGES}`)).toContain(
      `expected offsets up to ${EACH - 1}`,
    );
    expect(await refused('--from-time', '2030-01-01')).toContain('expected messages in the range, got none');
    expect(await refused('--from-time', '2026-01-05', '--label', 'A B')).toContain(
      '--label: expected lower-case letters',
    );
  });
});

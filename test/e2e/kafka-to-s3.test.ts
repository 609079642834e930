import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createTopic } from '../../scripts/services/topic.ts';
import { recordsOf } from '../ingest/kafka-records.ts';
import { createKafkaFixture, kafkaOf, type KafkaFixture } from '../ingest/kafka-fixture.ts';
import { makeBucket, s3Endpoint, type TestBucket } from '../services/s3-bucket.ts';
import { scratch, sluice, start, writeConfig } from './cli.ts';

const message = (n: number) =>
  JSON.stringify({
    id: `m${n}`,
    customer: `c${n % 3}`,
    text: `message ${n}`,
    created_at: '2026-01-05T10:00:00Z',
  });
const messages = (count: number, from = 0) => Array.from({ length: count }, (_, n) => message(from + n));

describe('Kafka to S3', () => {
  let kafka: KafkaFixture;
  let dead: KafkaFixture;
  let bucket: TestBucket;
  beforeAll(async () => {
    [kafka, dead, bucket] = await Promise.all([
      createKafkaFixture({ partitions: 2 }),
      createKafkaFixture(),
      makeBucket(),
    ]);
    await kafka.produce(0, messages(500));
    await kafka.produce(1, [
      'not json',
      { value: '{"text":"whose?"}', key: 'k', headers: { trace: 'abc' } },
      message(500),
    ]);
  });
  afterAll(async () => {
    await Promise.all([kafka.remove(), dead.remove(), bucket.close()]);
  });

  function configOf(
    prefix: string,
    changes: { store?: object; source?: object; kafka?: object; more?: object } = {},
  ) {
    return writeConfig(scratch(), {
      name: prefix,
      kafka: { brokers: kafkaOf().brokers, ...changes.kafka },
      source: {
        type: 'kafka',
        topics: [kafka.topic],
        group: `${kafka.group}-${prefix}`,
        session_timeout: '6s',
        heartbeat_interval: '1s',
        ...changes.source,
      },
      classify: { model: 'drop', workers: 1 },
      archive: {
        store: {
          type: 's3',
          bucket: bucket.name,
          prefix: `${prefix}/`,
          endpoint: s3Endpoint(),
          path_style: true,
          // Twice as long is waited for a file that seems to have vanished.
          idle_timeout: '1s',
          ...changes.store,
        },
      },
      ...changes.more,
    });
  }
  const verified = async (config: string) => {
    const { code, stdout } = await sluice(['verify', config, '--json']);
    return { code, ...(JSON.parse(stdout) as { rows: number; dead_letters: number; absent: number }) };
  };
  const event = (stderr: string, action: string) =>
    stderr
      .split('\n')
      .filter((line) => line.includes(`"event.action":"${action}"`))
      .map((line) => JSON.parse(line) as { message: string; sluice: Record<string, unknown> });

  it('follows a topic, tells how far it is, keeps dead letters in a topic, and flushes when it is stopped', async () => {
    const config = configOf('followed', {
      more: { dead_letters: { files: true, topic: dead.topic }, server: { listen: '127.0.0.1:0' } },
    });
    const run = start(['run', config]);
    let log = '';
    run.process.stderr!.on('data', (chunk: string) => (log += chunk));
    const address = await vi.waitFor(
      () => event(log, 'server-started')[0]!.sluice['address'] as string,
      60_000,
    );
    const metrics = async () => await (await fetch(`${address}/metrics`)).text();
    const valueOf = (text: string, name: string) =>
      [...text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (.*)$`, 'gm'))].map(([, value]) =>
        Number(value),
      );
    const text = await vi.waitFor(async () => {
      const now = await metrics();
      expect(valueOf(now, 'sluice_messages_total')).toEqual([503]);
      expect(valueOf(now, 'sluice_position_lag_messages')).toEqual([0, 0]);
      return now;
    }, 60_000);
    expect(valueOf(text, 'sluice_commit_lag_messages').toSorted((a, b) => a - b)).toEqual([3, 500]);
    expect(text).toContain('sluice_dead_letters_total{stage="decode",code="not_json"} 1');
    expect((await fetch(`${address}/ready`)).status).toBe(200);
    expect(await (await fetch(`${address}/live`)).text()).toBe('live\n');
    run.process.kill('SIGTERM');
    const { code, stderr } = await run.finished;
    expect(code, stderr).toBe(0);
    expect(await verified(config)).toMatchObject({ code: 0, rows: 501, dead_letters: 2, absent: 0 });

    const records = await recordsOf(dead.topic, 2);
    expect(records.map(({ value }) => value?.toString())).toEqual(['not json', '{"text":"whose?"}']);
    expect(records[1]).toMatchObject({ key: Buffer.from('k') });
    const headers = Object.fromEntries(
      Object.entries(records[1]!.headers ?? {}).map(([name, value]) => [name, String(value)]),
    );
    expect(headers).toMatchObject({
      trace: 'abc',
      'sluice-id': `${kafka.topic}-1-1`,
      'sluice-topic': kafka.topic,
      'sluice-stage': 'decode',
      'sluice-code': 'missing_field',
    });
  });

  it.each([
    ['a topic that is missing', { source: { topics: ['no-such-topic'] } }, /no-such-topic/],
    ['a bucket that is missing', { store: { bucket: 'no-such-bucket' } }, /no-such-bucket.*(exist|create)/i],
    [
      'brokers that do not answer',
      { kafka: { brokers: ['127.0.0.1:9'], connection_timeout: '1s' } },
      /127\.0\.0\.1:9/,
    ],
    [
      'a store that does not answer',
      { store: { endpoint: 'http://127.0.0.1:9', connect_timeout: '1s' } },
      /127\.0\.0\.1:9/,
    ],
    [
      'a topic for dead letters that is missing',
      { more: { dead_letters: { topic: 'nowhere' } } },
      /dead_letters\.topic.*nowhere.*create/,
    ],
    [
      'a server whose address is taken',
      { more: { server: { listen: kafkaOf().brokers[0] } } },
      /server\.listen/,
    ],
  ])('refuses to start with %s, and names it', async (name, changes, expected) => {
    const config = configOf(name.replaceAll(/[^a-z]/g, ''), changes);
    const command = name.includes('server') ? ['run', config, '--until-end'] : ['check', config];
    const { code, stderr } = await sluice(command);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^(\{.*\n)*sluice: /)]);
    expect(stderr).toMatch(expected);
    expect(stderr).not.toContain('    at ');
  });

  it('refuses credentials that are wrong', async () => {
    const { code, stderr } = await sluice(['check', configOf('credentials')], {
      env: { AWS_SECRET_ACCESS_KEY: 'wrong' },
    });
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^sluice: .*(SignatureDoesNotMatch|secret)/)]);
  });

  /** Everything is committed, nothing is published: then something happens to the bucket. */
  async function committed(prefix: string) {
    const config = configOf(prefix);
    const killed = await sluice(['run', config, '--until-end'], { env: { SLUICE_CRASH_AT: 'after-commit' } });
    expect(killed.signal, killed.stderr).toBe('SIGKILL');
    const uploads = (await bucket.uploads()).filter(({ key }) => key.startsWith(`${prefix}/`));
    expect(uploads).toHaveLength(4);
    return { config, uploads };
  }

  it('undoes a committed transaction whose upload has vanished, and reads its messages again', async () => {
    const { config, uploads } = await committed('vanished');
    await bucket.abort(uploads[0]!.key, uploads[0]!.upload);
    const { code, stderr } = await sluice(['run', config, '--until-end']);
    expect(code, stderr).toBe(0);
    expect(event(stderr, 'transaction-lost')[0]!.sluice).toMatchObject({ rewound: true });
    expect(await verified(config)).toMatchObject({ code: 0, rows: 501, dead_letters: 2 });
  });

  it('says what is lost when its messages have expired, and goes on', async () => {
    const expired = await createKafkaFixture();
    await expired.produce(0, messages(20));
    const config = configOf('expired', { source: { topics: [expired.topic] } });
    await sluice(['run', config, '--until-end'], { env: { SLUICE_CRASH_AT: 'after-commit' } });
    const [upload] = (await bucket.uploads()).filter(({ key }) => key.startsWith('expired/'));
    await bucket.abort(upload!.key, upload!.upload);
    await expired.admin.fetchTopicOffsets(expired.topic);
    await expired.admin.deleteTopicRecords({
      topic: expired.topic,
      partitions: [{ partition: 0, offset: '20' }],
    });
    await expired.produce(0, messages(5, 20));
    const { code, stderr } = await sluice(['run', config, '--until-end']);
    expect(code, stderr).toBe(0);
    const [lost] = event(stderr, 'transaction-lost');
    expect(lost!.sluice).toMatchObject({ rewound: false, ranges: [`${expired.topic}-0: 0 to 20`] });
    expect(lost!.message).toContain('LOST');
    const report = await sluice(['verify', config]);
    expect([report.code, report.stdout]).toEqual([
      1,
      expect.stringContaining(upload!.key.slice('expired/'.length)),
    ]);
    await expired.remove();
  });

  it('stops at a damaged manifest, naming the object and the way out', async () => {
    const { config } = await committed('damaged');
    const [pending] = (await bucket.keys()).filter((key) => key.startsWith('damaged/_sluice/pending/'));
    await bucket.put(pending!, '{"crc32":"00000000","transaction":{}}\n');
    const { code, stderr } = await sluice(['run', config, '--until-end']);
    expect(code).toBe(1);
    expect(stderr.trimEnd().split('\n').at(-1)).toMatch(
      new RegExp(`^sluice: .*${pending}.*checksum.*(restore|version)`),
    );
  });

  it('takes what is archived from the ledger when the group has forgotten its positions', async () => {
    const config = configOf('forgotten');
    expect((await sluice(['run', config, '--until-end'])).code).toBe(0);
    await kafka.admin.deleteGroups([`${kafka.group}-forgotten`]);
    const again = await sluice(['run', config, '--until-end', '--json']);
    expect([again.code, JSON.parse(again.stdout)], again.stderr).toEqual([
      0,
      expect.objectContaining({ messages: 0 }),
    ]);
    expect(await verified(config)).toMatchObject({ code: 0, rows: 501 });
  });

  it('refuses a topic that was made anew under its name: its beginning would be skipped', async () => {
    const again = await createKafkaFixture();
    const remake = async (count: number) => {
      await again.admin.deleteTopics({ topics: [again.topic] });
      const topics = [{ topic: again.topic, numPartitions: 1 }];
      // False as long as the old one is there.
      const made = () => again.admin.createTopics({ waitForLeaders: false, topics });
      await vi.waitFor(async () => expect(await made()).toBe(true), 30_000);
      await createTopic(again.admin, again.topic, 1);
      const timestamp = String(Date.now() + 120_000);
      await again.produce(
        0,
        messages(count).map((value) => ({ value, timestamp })),
      );
    };
    await again.produce(0, messages(20));
    const config = configOf('remade', { source: { topics: [again.topic] } });
    expect((await sluice(['run', config, '--until-end'])).code).toBe(0);
    for (const count of [5, 50]) {
      await remake(count);
      const { code, stderr } = await sluice(['run', config, '--until-end']);
      expect([count, code, stderr.trimEnd().split('\n').at(-1)]).toEqual([
        count,
        1,
        expect.stringMatching(/^sluice: .*-0 is archived up to offset 20 .*made anew.*another `name`/),
      ]);
    }
    await again.remove();
  });
});

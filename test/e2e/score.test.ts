import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { mkdirSync, readFileSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { query } from '../../src/archive/index.ts';
import { decisionSchema, versionOf } from '../../src/decision.ts';
import { createKafkaFixture, kafkaOf } from '../ingest/kafka-fixture.ts';
import { recordsOf } from '../ingest/kafka-records.ts';
import { archiveRows, writeParquet } from '../ingest/parquet-file.ts';
import { makeBucket, s3Endpoint } from '../services/s3-bucket.ts';
import { rows, scratch, sluice, start, writeConfig } from './cli.ts';

const TEXTS = ['have a nice day', 'you are a stupid idiot and I hate you', 'thanks, see you tomorrow'];
const textAt = (column: string) => `(['${TEXTS.join("', '")}'])[1 + ${column} % 3]`;

/** Reads a file of JSON lines. */
function jsonLines(file: string): Record<string, unknown>[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

it('scores foreign Parquet by a column of texts, beside JSON lines, and keeps every other column', async () => {
  const directory = scratch();
  await writeParquet(
    join(directory, 'posts.parquet'),
    `SELECT n AS uuid, ${textAt('n')} AS review_text, 'shop' AS tenant, TIMESTAMP '2026-03-01 10:00:00' AS ts,
      n * 1.5 AS stars, NULL::VARCHAR AS nothing FROM range(30) t(n)`,
  );
  writeFileSync(join(directory, 'more.jsonl'), '{"uuid":"j1","review_text":"hello","tenant":"shop"}\n');
  const inputs = [join(directory, '*.parquet'), join(directory, 'more.jsonl')];
  const out = join(directory, 'out');
  const run = await sluice(['score', ...inputs, '--out', out, '--text-column', 'review_text', '--json']);
  expect(run.code, run.stderr).toBe(0);
  expect(JSON.parse(run.stdout)).toMatchObject({ rows: 31, dead_letters: 0 });
  expect(
    await rows(
      directory,
      `select * exclude (scores, model, policy, decided_at, received_at, filename, reasons, action)
    from content where content_id = '4'`,
    ),
  ).toMatchObject([
    {
      id: expect.stringMatching(/^score-[0-9a-f]{8}-0-4$/) as string,
      customer: 'shop',
      content_id: '4',
      user_id: null,
      content: TEXTS[1],
      content_type: null,
      language: expect.anything() as string,
      created_at: '2026-03-01T10:00:00.000Z',
      metadata: { stars: '6.0' },
      topic: expect.stringMatching(/^score-[0-9a-f]{8}$/) as string,
      partition: 0,
      offset: 4n,
      dt: '2026-03-01',
    },
  ]);
  const flagged = await rows(directory, `select distinct content from content where action <> 'allow'`);
  expect(flagged).toEqual([{ content: TEXTS[1] }]);
});

it('kill -9 at random moments, then to the end: no row lost, none twice', async () => {
  const directory = scratch();
  const ROWS = 40_000;
  const KILLS = 6;
  for (const part of [0, 1])
    await writeParquet(
      join(directory, `${part}.parquet`),
      `SELECT 'r' || (${part} * ${ROWS} + n) AS id, 'text ' || n AS text, 'c' || (n % 5) AS customer FROM range(${ROWS}) t(n)`,
      20_000,
    );
  // Small flushes: many moments to be killed between.
  const config = writeConfig(directory, {
    source: { type: 'file', inputs: ['-'] },
    archive: { store: { type: 'directory', path: './unused' }, rotate: { rows: 1000 } },
  });
  const out = join(directory, 'out');
  const command = [
    'score',
    join(directory, '*.parquet'),
    '--out',
    out,
    '--config',
    config,
    '--model',
    'drop',
  ];
  let killed = 0;
  for (let attempt = 0; attempt < KILLS; attempt++) {
    const run = start([...command, '--json']);
    const mark = attempt % 2 === 0 ? 'assignment-recovered' : '"flushed"';
    let isMarked = false;
    run.process.stderr!.on('data', (line: string) => {
      if (isMarked || !line.includes(mark)) return;
      isMarked = true;
      setTimeout(() => run.process.kill('SIGKILL'), (attempt * 37) % 200);
    });
    if ((await run.finished).signal === 'SIGKILL') killed++;
  }
  expect(killed, 'the input must outlast the kills').toBe(KILLS);
  const last = await sluice([...command, '--json']);
  expect(last.code, last.stderr).toBe(0);
  expect(
    await rows(
      directory,
      `select count(*) as n, count(distinct content_id) as ids, count(distinct id) as positions from content`,
    ),
  ).toEqual([{ n: BigInt(2 * ROWS), ids: BigInt(2 * ROWS), positions: BigInt(2 * ROWS) }]);
  expect(
    await rows(
      directory,
      `select count(*) as n from content where content_id <> 'r' || (partition * ${ROWS} + "offset")`,
    ),
  ).toEqual([{ n: 0n }]);
  const again = await sluice(command);
  expect(again.stdout).toContain('nothing new');
  const verified = await sluice(['verify', join(out, '_sluice', 'score.yaml')]);
  expect([verified.code, verified.stdout]).toEqual([
    0,
    expect.stringContaining(`${(2 * ROWS) / 1000},000 rows`),
  ]);
});

it('changed-only: what another policy decides otherwise, and nothing else', async () => {
  const directory = scratch();
  const lines = Array.from({ length: 60 }, (_, n) =>
    JSON.stringify({
      id: `p${n}`,
      customer: n % 2 ? 'odd' : 'even',
      text: TEXTS[n % 3],
      lang: 'en',
      extra: n,
    }),
  );
  writeFileSync(join(directory, 'posts.jsonl'), `${lines.join('\n')}\n`);
  const archive = join(directory, 'archive');
  const config = writeConfig(directory, {
    source: { type: 'file', inputs: ['posts.jsonl'], topic: 'posts' },
    archive: { store: { type: 'directory', path: './archive' } },
    classify: { workers: 1 },
  });
  expect((await sluice(['run', config, '--until-end'])).code).toBe(0);
  writeFileSync(
    join(directory, 'lax.yaml'),
    'default: { name: lax, version: "2" }\nodd: { quiet: [toxic, hate, spam] }\n',
  );
  const out = join(directory, 'out');
  const command = [
    'score',
    archive,
    '--out',
    out,
    '--policies',
    join(directory, 'lax.yaml'),
    '--changed-only',
  ];
  const run = await sluice([...command, '--json']);
  expect(run.code, run.stderr).toBe(0);
  const before = (
    await query(
      `select id, content_id, action, reasons from content where customer = 'odd' and action <> 'allow'`,
      {
        root: archive,
      },
    )
  ).rows;
  expect(before.length).toBeGreaterThan(0);
  expect(JSON.parse(run.stdout)).toMatchObject({
    rows: before.length,
    skipped: 60 - before.length,
    changes: { rows: 60, changed: before.length, customers: [{ customer: 'odd', rows: before.length }] },
  });
  const changes = jsonLines(join(out, '_changes.jsonl'));
  const sorted = (ids: unknown[]) => ids.map(String).toSorted();
  expect(sorted(changes.map(({ id }) => id))).toEqual(sorted(before.map(([id]) => id)));
  const [, contentId, action, reasons] = before[0]!;
  expect(changes.find(({ content_id: id }) => id === contentId)).toMatchObject({
    customer: 'odd',
    old_action: action,
    new_action: 'allow',
    old_reasons: reasons,
    new_reasons: null,
    scores: (reasons as string[]).map((label) => ({
      label,
      old: expect.any(Number) as number,
      new: expect.any(Number) as number,
    })),
  });
  expect(
    await rows(
      directory,
      `select content_id, metadata['extra'] as extra from content where content_id = '${String(contentId)}'`,
    ),
  ).toEqual([{ content_id: contentId, extra: String(contentId).slice(1) }]);

  const other = await sluice(['score', archive, '--out', out, '--changed-only']);
  expect([other.code, other.stderr]).toEqual([1, expect.stringContaining('got another models and policies')]);
});

it('is refused where the policies, or the model, say something else than they did when it began', async () => {
  const directory = scratch();
  const posts = join(directory, 'posts.jsonl');
  writeFileSync(posts, `${JSON.stringify({ customer: 'a', text: TEXTS[1] })}\n`);
  const policies = join(directory, 'policies.yaml');
  writeFileSync(policies, 'default: { labels: { toxic: { block: 0.5 } } }\n');
  const out = join(directory, 'out');
  const command = ['score', posts, '--out', out, '--policies', policies];
  const typo = await sluice([...command, '--model', join(directory, 'nowhere')]);
  expect([typo.code, typo.stderr]).toEqual([
    1,
    expect.stringContaining('expected a model folder, got nothing'),
  ]);
  // Nothing was bound to it.
  expect((await sluice(command)).code).toBe(0);
  writeFileSync(policies, '# the same\ndefault: { labels: { toxic: { block: 0.5 } } }\n');
  expect((await sluice(command)).stdout).toContain('nothing new');
  writeFileSync(policies, 'default: { labels: { toxic: { block: 0.9999 } } }\n');
  writeFileSync(posts, `${JSON.stringify({ customer: 'a', text: TEXTS[1] })}\n`, { flag: 'a' });
  const run = await sluice(command);
  expect([run.code, run.stderr]).toEqual([1, expect.stringContaining('got another models and policies')]);
  expect(await rows(directory, 'select action from content')).toEqual([{ action: 'block' }]);
});

it('never reads what it writes, by whatever name', async () => {
  const directory = scratch();
  const folder = join(directory, 'archive', 'customer=a', 'dt=2026-01-01');
  mkdirSync(folder, { recursive: true });
  await writeParquet(join(folder, 'x.parquet'), archiveRows(3));
  symlinkSync(join(directory, 'archive'), join(directory, 'link'));
  const inside = join(directory, 'archive', 'scored');
  const linked = await sluice(['score', join(directory, 'link'), '--out', inside, '--model', 'drop']);
  expect([linked.code, linked.stderr]).toEqual([
    1,
    expect.stringContaining('expected a directory apart from'),
  ]);
  // The second time the pattern would match the files of the first.
  const pattern = join(directory, 'archive', '**', '*.parquet');
  const command = ['score', pattern, '--out', inside, '--model', 'drop'];
  expect((await sluice(command)).code).toBe(0);
  const again = await sluice(command);
  expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('expected a directory apart from')]);
});

it('a slice of an archive in S3, by customer and event time; objects that are done are not fetched again', async () => {
  const bucket = await makeBucket();
  onTestFinished(() => bucket.close());
  const directory = scratch();
  const client = new S3Client({ endpoint: s3Endpoint(), forcePathStyle: true });
  onTestFinished(() => client.destroy());
  const put = async (key: string, sql: string) => {
    await writeParquet(join(directory, 'part.parquet'), sql);
    const Body = readFileSync(join(directory, 'part.parquet'));
    await client.send(new PutObjectCommand({ Bucket: bucket.name, Key: key, Body }));
  };
  for (const customer of ['a', 'b'])
    for (const day of ['01', '02', '03'])
      await put(
        `live/customer=${customer}/dt=2026-01-${day}/x.parquet`,
        `SELECT * FROM (${archiveRows(96)}) WHERE customer = '${customer}' AND created_at::DATE = DATE '2026-01-${day}'`,
      );
  await put('live/_feedback/customer=a/dt=2026-01-02/f.parquet', `SELECT 1 AS n`);
  const config = writeConfig(directory, {
    source: { type: 'file', inputs: ['-'] },
    classify: { s3: { endpoint: s3Endpoint(), path_style: true } },
  });
  const out = join(directory, 'out');
  const slice = ['--customer', 'a', '--from', '2026-01-02T10:00:00Z', '--to', '2026-01-03T05:00:00Z'];
  const archive = `s3://${bucket.name}/live/`;
  const command = ['score', archive, '--out', out, '--config', config, '--model', 'drop', '--json', ...slice];
  const run = await sluice(command);
  expect(run.code, run.stderr).toBe(0);
  // Hours 34 to 52 at one microsecond past each, the even ones of them.
  const wanted = Array.from({ length: 10 }, (_, at) => `c${34 + 2 * at}`);
  const found = await rows(
    directory,
    `select content_id, metadata['archived'] as was from content order by created_at`,
  );
  expect(found.map(({ content_id: id }) => id)).toEqual(wanted);
  expect(JSON.parse(String(found[0]!['was']))).toMatchObject({ id: 'content-3-34', action: 'review' });
  const inputs = join(out, '_sluice', 'score.positions.inputs');
  expect(readdirSync(inputs)).toEqual([]);
  const verified = await sluice(['verify', join(out, '_sluice', 'score.yaml')]);
  expect([verified.code, verified.stdout]).toEqual([0, expect.stringContaining('10 rows')]);
  // Two of the six objects are in the slice; with both read, none is fetched.
  const noted = readFileSync(`${inputs}.read`, 'utf8');
  expect(noted.trim().split('\n').length).toBe(2);
  for (const day of ['02', '03']) await bucket.remove(`live/customer=a/dt=2026-01-${day}/x.parquet`);
  await put('live/customer=a/dt=2026-01-02/x.parquet', 'SELECT 1 AS damaged');
  const again = await sluice(command);
  expect(again.code, again.stderr).toBe(0);
  expect(JSON.parse(again.stdout)).toMatchObject({ messages: 0 });
  expect(statSync(`${inputs}.read`).size).toBe(noted.length);
});

it('deliver: tells the sinks what changed, newer than what they were told before', async () => {
  const decisions = await createKafkaFixture();
  onTestFinished(() => decisions.remove());
  const directory = scratch();
  await writeParquet(join(directory, 'archive.parquet'), archiveRows(10));
  const config = writeConfig(directory, {
    source: { type: 'file', inputs: ['-'] },
    kafka: { brokers: kafkaOf().brokers },
    sinks: { decisions: { type: 'kafka', topic: decisions.topic, actions: ['allow', 'review', 'block'] } },
    classify: { workers: 1 },
  });
  const out = join(directory, 'out');
  const command = [
    'score',
    join(directory, 'archive.parquet'),
    '--out',
    out,
    '--config',
    config,
    '--model',
    'drop',
  ];
  const run = await sluice([...command, '--customer', 'b', '--changed-only', '--deliver']);
  expect(run.code, run.stderr).toBe(0);
  const told = (await recordsOf(decisions.topic, 5)).map(({ value }) =>
    decisionSchema.parse(JSON.parse(String(value))),
  );
  expect(told.map(({ content_id: id }) => id).toSorted()).toEqual(['c1', 'c3', 'c5', 'c7', 'c9']);
  for (const { id, action, version, position } of told) {
    expect(id).toMatch(/^score-[0-9a-f]{8}-0-\d$/);
    expect(action).toBe('allow');
    // The message was in its topic before it was received; both decisions are on the same content.
    const producedAt = Date.parse('2026-01-31T23:59:59Z');
    const before = { producedAt, receivedAt: producedAt, partition: 3, offset: position.offset };
    expect(version > versionOf(before)).toBe(true);
  }
});

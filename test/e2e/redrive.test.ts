import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ConfigResourceTypes } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTopic } from '../../scripts/services/topic.ts';
import { deadLetterFiles } from '../../src/archive/dead-letters.ts';
import type { Decision } from '../../src/decision.ts';
import { refusalLetter } from '../../src/refusal-letter.ts';
import { createKafkaFixture, kafkaOf, type KafkaFixture } from '../ingest/kafka-fixture.ts';
import { recordsOf } from '../ingest/kafka-records.ts';
import { sampleDecision } from '../sample-decision.ts';
import { makeBucket, s3Endpoint, type TestBucket } from '../services/s3-bucket.ts';
import { rows, scratch, sluice, start, writeConfig } from './cli.ts';

const TIME = Date.now() - 3_600_000;
const LONG = 'x'.repeat(300);
const message = (id: string, text = 'fine') => JSON.stringify({ id, customer: 'acme', text });

/** What a command printed, which must have gone well. */
async function done(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await sluice(args);
  expect(code, `${args.join(' ')}: ${stderr}`).toBe(0);
  return stdout;
}

/** The last line of a command's results as JSON. */
async function result<Value>(...args: string[]): Promise<Value> {
  const lines = (await done(...args, '--json')).trim().split('\n');
  return JSON.parse(lines.at(-1)!) as Value;
}

/** A pipeline from a topic to a directory, mended or not. */
function pipelineOf(kafka: KafkaFixture, directory: string, changes: Record<string, unknown>): string {
  return writeConfig(directory, {
    name: 'moderation',
    kafka: { brokers: kafkaOf().brokers },
    source: {
      type: 'kafka',
      topics: [kafka.topic],
      group: kafka.group,
      session_timeout: '6s',
      heartbeat_interval: '1s',
    },
    classify: { model: 'drop', workers: 1 },
    log: { level: 'error' },
    ...changes,
  });
}

const idsIn = async (directory: string) =>
  (await rows(directory, 'select content_id as id from content')).map(({ id }) => String(id)).toSorted();
const endOf = async ({ admin, topic }: Pick<KafkaFixture, 'admin' | 'topic'>) =>
  (await admin.fetchTopicOffsets(topic)).reduce((sum, { high }) => sum + Number(high), 0);

describe('sluice redrive', () => {
  let kafka: KafkaFixture;
  let dead: KafkaFixture;
  beforeAll(async () => {
    [kafka, dead] = await Promise.all([createKafkaFixture({ partitions: 2 }), createKafkaFixture()]);
  });
  afterAll(async () => {
    await Promise.all([kafka.remove(), dead.remove()]);
  });

  it('lists dead letters, shows them, and sends back once what is mended', async () => {
    const directory = scratch();
    const dead_letters = { files: true, topic: dead.topic };
    const config = pipelineOf(kafka, directory, { dead_letters, ingest: { max_text_bytes: '100B' } });
    const at = (value: string) => ({ value, timestamp: String(TIME) });
    await kafka.produce(0, [at(message('a')), at('broken \u001b[2J'), at(message('b'))]);
    const headers = { trace: 'abc', raw: Buffer.from([0xff, 0]) };
    await kafka.produce(1, [
      { ...at(message('long-1', LONG)), key: 'k1', headers },
      at(message('c')),
      at(message('long-2', LONG)),
    ]);
    await done('run', config, '--until-end');
    expect(await idsIn(directory)).toEqual(['a', 'b', 'c']);

    const table = await done('redrive', config);
    expect(table).toMatch(/decode +too_large +\S+ +2 +0\n/);
    expect(table).toMatch(/decode +not_json +\S+ +1 +0\n/);
    expect(table).toContain(`3 in ${directory}/out/_dead_letters`);
    const show = await done('redrive', config, '--show', `${kafka.topic}-0-1`);
    expect(show).toContain('\n\nbroken \\u{1b}[2J\n');
    expect(await done('redrive', config, '--customer', 'acme', '--verbose', '--list')).toMatch(
      new RegExp(`^${kafka.topic}-1-0 decode too_large .*\\n${kafka.topic}-1-2 decode too_large .*\\n\\n`),
    );

    const plan = await done('redrive', config, '--code', 'too_large', '--dry-run');
    expect(plan).toMatch(
      new RegExp(
        `^${kafka.topic}-1-0 to topic ${kafka.topic}: partition 1, key "k1", time ${new Date(TIME).toISOString()}, ` +
          `\\d+ bytes, trace="abc", raw=base64 /wA=, sluice-redriven="${kafka.topic}-1-0", `,
      ),
    );
    expect(plan).toContain(`2 would be sent to topic ${kafka.topic}\n`);
    expect(await endOf(kafka)).toBe(6);
    expect(existsSync(join(directory, 'out/_sluice/redriven'))).toBe(false);

    const mended = pipelineOf(kafka, directory, { dead_letters });
    expect(await done('redrive', mended, '--code', 'too_large', '--send')).toBe(
      `2 sent to topic ${kafka.topic}\n`,
    );
    const sent = (await recordsOf(kafka.topic, 8)).find(({ headers: own }) => own?.['sluice-redriven']);
    expect(String(sent?.value)).toBe(message('long-1', LONG));
    expect([String(sent?.key), sent?.timestamp]).toEqual(['k1', String(TIME)]);
    expect(sent?.headers?.['raw']).toEqual(Buffer.from([0xff, 0]));
    expect(String(sent?.headers?.['sluice-redriven-times'])).toBe('1');
    await done('run', mended, '--until-end');
    expect(await idsIn(directory)).toEqual(['a', 'b', 'c', 'long-1', 'long-2']);

    expect(await done('redrive', mended, '--code', 'too_large', '--send')).toMatch(
      /^nothing sent\n2 stay, sent_before: /,
    );
    expect(await endOf(kafka)).toBe(8);
    // The topic has the same letters, and the ledger is for both.
    const { groups } = await result<{ groups: { code: string; letters: number; redriven: number }[] }>(
      'redrive',
      mended,
      '--from',
      'topic',
    );
    expect(groups.map(({ code, letters, redriven }) => [code, letters, redriven])).toEqual([
      ['too_large', 2, 2],
      ['not_json', 1, 0],
    ]);
    const verified = await result<{ holds: boolean; rows: number }>('verify', mended);
    expect(verified).toMatchObject({ holds: true, rows: 5, dead_letters: 1 + 2 });
  });

  it('sends poison back as often as it may, then no more', async () => {
    const directory = scratch();
    const poisoned = await createKafkaFixture();
    const config = pipelineOf(poisoned, directory, {
      dead_letters: { files: false, topic: dead.topic },
    });
    await poisoned.produce(0, ['poison']);
    const redriven: object[] = [];
    for (let round = 0; round < 4; round++) {
      await done('run', config, '--until-end');
      redriven.push(await result('redrive', config, '--topic', poisoned.topic, '--send', '--max-times', '2'));
    }
    const to = { [`topic ${poisoned.topic}`]: 1 };
    expect(redriven).toMatchObject([
      { sent: to, kept: {} },
      { sent: to, kept: { sent_before: 1 } },
      { sent: {}, kept: { sent_before: 2, too_many_times: 1 } },
      { sent: {}, kept: { sent_before: 2, too_many_times: 1 } },
    ]);
    expect(await endOf(poisoned)).toBe(3);
    await poisoned.remove();
  });

  it('sends every letter again after kill -9, few of them twice', async () => {
    const MESSAGES = 12_000;
    const directory = scratch();
    const many = await createKafkaFixture();
    const ingest = { dead_letters: { max_consecutive: MESSAGES + 1 } };
    const config = pipelineOf(many, directory, { ingest: { ...ingest, fields: { text: 'body' } } });
    const all = Array.from({ length: MESSAGES }, (_, n) => message(`m${n}`));
    for (let from = 0; from < MESSAGES; from += 4000) await many.produce(0, all.slice(from, from + 4000));
    await done('run', config, '--until-end');

    const folder = join(directory, 'out/_sluice/redriven');
    const remembered = () =>
      existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.jsonl')) : [];
    const { process: child, finished } = start(['redrive', config, '--send']);
    while (remembered().length < 3 && child.exitCode === null)
      await new Promise((next) => setTimeout(next, 5));
    child.kill('SIGKILL');
    expect((await finished).signal).toBe('SIGKILL');
    const lines = remembered().flatMap((name) => readFileSync(join(folder, name), 'utf8').trim().split('\n'));
    expect(lines.length).toBeLessThan(MESSAGES);

    const rest = await result<{ sent: Record<string, number>; kept: object }>('redrive', config, '--send');
    expect(rest.kept).toEqual({ sent_before: lines.length });
    expect(rest.sent).toEqual({ [`topic ${many.topic}`]: MESSAGES - lines.length });
    expect((await result<{ sent: object }>('redrive', config, '--send')).sent).toEqual({});

    const mended = pipelineOf(many, directory, { ingest });
    await done('run', mended, '--until-end');
    const counts = await rows(directory, 'select content_id, count(*) as n from content group by all');
    expect(counts.length).toBe(MESSAGES);
    // What was sent and not yet remembered: at most one part.
    const repeats = counts.reduce((sum, { n }) => sum + Number(n) - 1, 0);
    expect(repeats).toBeLessThanOrEqual(500);
    await many.remove();
  });

  it('says what it cannot do', async () => {
    const directory = scratch();
    const config = pipelineOf(kafka, directory, {});
    const refused = async (...args: string[]) => {
      const { code, stderr } = await sluice(['redrive', config, ...args]);
      expect(code, args.join(' ')).toBe(1);
      return stderr;
    };
    expect(await refused('--from', 'topic')).toContain('--from topic: expected dead_letters.topic');
    expect(await refused('--show', 'x-0-1')).toContain('--show: expected a dead letter of ');
    expect(await refused('--send', '--out', 'f')).toContain(
      "option '--send' cannot be used with option '--out",
    );
    const [file] = deadLetterFiles([refusalLetter({ ...REFUSED, sink: 'gone' })], 'tx1');
    const place = join(directory, 'out', file!.key);
    mkdirSync(dirname(place), { recursive: true });
    writeFileSync(place, file!.content);
    expect(await result('redrive', config, '--send')).toMatchObject({ sent: {}, kept: { no_sink: 1 } });
    // A sink that is gone has letters all the same.
    expect(await result('redrive', config, '--sink', 'gone')).toMatchObject({ letters: 1 });
    expect(await refused('--sink', 'gonne')).toContain('(gone), got gonne; did you mean "gone"?');
    expect(await refused('--id', 'nope', '--send')).toMatch(
      /--id: expected ids of dead letters in .*, got nope\n/,
    );
  });
});

const REFUSED = {
  sink: 'decisions',
  decision: sampleDecision(7, { text: 'y'.repeat(2000) }),
  code: 'too_large',
  detail: 'expected less',
};

describe('sluice redrive of what a sink refused, from S3', () => {
  let kafka: KafkaFixture;
  let bucket: TestBucket;
  beforeAll(async () => {
    [kafka, bucket] = await Promise.all([createKafkaFixture(), makeBucket()]);
  });
  afterAll(async () => {
    await Promise.all([kafka.remove(), bucket.close()]);
  });

  it('tells that sink again, and nobody else', async () => {
    const [topic, others] = [`${kafka.topic}-decisions`, `${kafka.topic}-others`];
    await createTopic(kafka.admin, others, 1);
    await createTopic(kafka.admin, topic, 1, { 'max.message.bytes': '1024' });
    const actions = ['allow'];
    const config = pipelineOf(kafka, scratch(), {
      archive: {
        store: { type: 's3', bucket: bucket.name, prefix: 'lake/', endpoint: s3Endpoint(), path_style: true },
      },
      sinks: {
        decisions: { type: 'kafka', topic, text: true, actions },
        others: { type: 'kafka', topic: others, text: true, actions },
      },
    });
    await kafka.produce(0, [message('a'), message('b', LONG.repeat(10))]);
    await done('run', config, '--until-end');
    const id = `${kafka.topic}-0-1`;
    expect(await done('redrive', config, '--verbose')).toMatch(
      new RegExp(`^${id} deliver too_large [^\\n]* sink decisions: [^\\n]*\\n\\nday`),
    );
    // It is a row all the same.
    expect(await result('verify', config)).toMatchObject({ holds: true, rows: 2 });

    const again = await sluice(['redrive', config, '--send']);
    expect([again.code, again.stdout]).toEqual([1, 'nothing sent\n1 refused; they stay dead letters\n']);
    expect(again.stderr).toContain(`${id} is refused: too_large: `);

    await kafka.admin.alterConfigs({
      validateOnly: false,
      resources: [
        {
          type: ConfigResourceTypes.TOPIC,
          name: topic,
          configEntries: [{ name: 'max.message.bytes', value: '100000' }],
        },
      ],
    });
    expect(await done('redrive', config, '--send')).toBe('1 sent to sink decisions\n');
    expect(await done('redrive', config, '--send')).toMatch(/^nothing sent\n1 stay, sent_before: /);
    const decisions = (await recordsOf(topic, 2)).map(({ value }) => JSON.parse(String(value)) as Decision);
    expect(decisions.map((each) => each.id)).toEqual([`${kafka.topic}-0-0`, id]);
    expect(decisions[1]).toMatchObject({ action: 'allow', text: LONG.repeat(10), content_id: 'b' });
    expect((await recordsOf(others, 2)).map(({ headers }) => String(headers?.['id']))).toEqual(
      decisions.map((each) => each.id),
    );
    expect(await endOf({ admin: kafka.admin, topic: others })).toBe(2);
    await kafka.admin.deleteTopics({ topics: [topic, others] });
  });
});

describe('sluice redrive of files', () => {
  it('writes messages to a file, which a file source reads', async () => {
    const directory = scratch();
    const configOf = (inputs: string[], ingest: object) =>
      writeConfig(directory, {
        source: { type: 'file', inputs },
        classify: { model: 'drop', workers: 1 },
        ingest,
        log: { level: 'error' },
      });
    const input = [message('a'), '{"customer":"acme","id":"b","body":"12345678901234567890"}', 'broken'];
    writeFileSync(join(directory, 'content.jsonl'), input.join('\n'));
    await done('run', configOf(['content.jsonl'], {}), '--until-end');
    const out = join(directory, 'again.jsonl');
    const mended = configOf(['content.jsonl', 'again.jsonl'], { fields: { text: ['text', 'body'] } });
    const redrive = ['redrive', mended, '--code', 'missing_field', '--out', out];

    expect(await done(...redrive, '--dry-run')).toContain('1 would be sent to file ');
    expect(existsSync(out)).toBe(false);
    expect(await done(...redrive)).toBe(`1 sent to file ${out}\n`);
    expect(readFileSync(out, 'utf8')).toBe(`${input[1]}\n`);
    await done('run', mended, '--until-end');
    expect(await idsIn(directory)).toEqual(['a', 'b']);
    expect(await done(...redrive)).toMatch(/^nothing sent\n1 stay, sent_before/);
    expect(await done('redrive', mended, '--send')).toMatch(/1 stay, not_read: /);
  });
});

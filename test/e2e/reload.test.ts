import { hash } from 'node:crypto';
import { appendFileSync, cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it, vi } from 'vitest';
import { stringify } from 'yaml';
import { writeVariant, type Variant } from '../classify/fixtures/variant.ts';
import { createKafkaFixture, kafkaOf } from '../ingest/kafka-fixture.ts';
import { makeBucket, s3Endpoint } from '../services/s3-bucket.ts';
import { rows, scratch, sluice, start, writeConfig } from './cli.ts';

const KILL_THREAD = pathToFileURL(join(import.meta.dirname, 'fixtures/kill-thread.ts')).href;
const WAIT = 90_000;

/** A model that blocks some texts, as the version says; the texts themselves are the same for all. */
const version = (name: string, more: Variant = {}): Variant => ({
  version: name,
  thresholds: { toxic: { block: 0.5 } },
  ...more,
});

/** Follows the log of a run. */
function logOf(run: ReturnType<typeof start>) {
  let log = '';
  run.process.stderr!.on('data', (chunk: string) => (log += chunk));
  run.finished.catch(() => undefined);
  const events = (action: string) =>
    log
      .split('\n')
      .flatMap((line) => (line.includes(`"event.action":"${action}"`) ? [JSON.parse(line)] : []));
  return {
    events,
    /** Resolves when so many events of a kind were logged. */
    logged: async (action: string, count = 1): Promise<{ message: string }> => {
      const ended = run.finished.then((end) => {
        throw new Error(`ended before ${action}: ${end.stderr}`);
      });
      const enough = () => expect(events(action).length).toBeGreaterThanOrEqual(count);
      await Promise.race([vi.waitFor(enough, { timeout: WAIT, interval: 20 }), ended]);
      return events(action).at(-1);
    },
  };
}

/** Models by offset, for each partition: how many times another one follows. */
const CHANGES = `
  with steps as (select topic, partition, model, "offset" as o,
      lag(model) over (partition by topic, partition order by "offset") as before from content)
  select partition, min(model) filter (before is null) as first, list(model order by o) filter (before <> model) as later
  from steps group by all order by partition`;

describe('a new version of a model', () => {
  it('takes over while messages flow; a damaged one and a wrong one are refused; a thread is killed meanwhile', async () => {
    const directory = scratch();
    const models = join(directory, 'models');
    const input = join(directory, 'in.jsonl');
    const kill = join(directory, 'kill');
    writeVariant(join(models, '1.0.0'), version('1.0.0'));
    writeFileSync(input, '');
    const config = writeConfig(directory, {
      source: { type: 'file', inputs: ['in.jsonl'], batch_messages: 64 },
      classify: { model: './models', workers: 2, language: 'off', duplicates: 'off', reload: '200ms' },
      archive: { store: { type: 'directory', path: './out' }, rotate: { age: '1s' } },
    });
    let written = 0;
    const writer = setInterval(() => {
      const lines = Array.from({ length: 100 }, () => {
        const text = written % 10 === 0 ? 'you are an idiot' : `hello world ${written}`;
        return `${JSON.stringify({ customer: 'acme', text, id: `m${written++}` })}\n`;
      });
      appendFileSync(input, lines.join(''));
    }, 20);
    try {
      const run = start(['run', config], {
        env: { NODE_OPTIONS: `--import ${KILL_THREAD}`, KILL_THREAD: kill },
      });
      const { logged, events } = logOf(run);
      await logged('flushed');

      // It does not give the scores that it claims.
      writeVariant(
        join(models, '1.1.0'),
        version('1.1.0', { checks: [{ text: 'hello world', scores: { toxic: 0.9 } }] }),
      );
      expect((await logged('reload-refused')).message).toContain(
        'check 1 of sluice.yaml: expected toxic 0.9 ± 0.01, got 0.047',
      );
      // Its file is not the one that was published.
      const damaged = writeVariant(join(models, '1.2.0'), version('1.2.0'));
      const onnx = readFileSync(join(damaged, 'onnx/model.onnx'));
      writeFileSync(join(damaged, 'onnx/model.onnx'), onnx.fill(0, onnx.length - 10));
      expect((await logged('reload-refused', 2)).message).toMatch(/expected sha256 [0-9a-f]{64}, got/);

      writeFileSync(kill, '');
      await logged('worker-died');
      writeVariant(join(models, '2.0.0'), version('2.0.0'));
      await logged('reloaded');
      const mark = written;
      await vi.waitFor(() => expect(written).toBeGreaterThan(mark + 2000), { timeout: WAIT });
      clearInterval(writer);
      await logged('flushed', events('flushed').length + 1);
      run.process.kill('SIGTERM');
      const end = await run.finished;
      expect(end.code, end.stderr).toBe(0);
      // Each once, however often it was looked at.
      expect(events('reload-refused')).toHaveLength(2);
      expect(events('reloaded')).toHaveLength(1);
    } finally {
      clearInterval(writer);
    }
    const last = await sluice(['run', config, '--until-end']);
    expect(last.code, last.stderr).toBe(0);
    const [totals] = await rows(
      directory,
      `select count(*)::INT as n, count(distinct "offset")::INT as offsets, max("offset")::INT + 1 as last,
         count(*) filter (action = 'block')::INT as blocked from content`,
    );
    expect(totals).toEqual({ n: written, offsets: written, last: written, blocked: Math.ceil(written / 10) });
    expect(await rows(directory, CHANGES)).toEqual([
      { partition: 0, first: 'tiny@1.0.0', later: ['tiny@2.0.0'] },
    ]);
    expect((await sluice(['verify', config])).code).toBe(0);
  });

  it('that never finishes loading is refused; everything goes on, and the exit code tells', async () => {
    const directory = scratch();
    const models = join(directory, 'models');
    const input = join(directory, 'in.jsonl');
    writeVariant(join(models, '1.0.0'), version('1.0.0'));
    writeFileSync(input, '');
    const config = writeConfig(directory, {
      source: { type: 'file', inputs: ['in.jsonl'] },
      classify: { model: './models', workers: 1, language: 'off', reload: '200ms', time_limit: '20s' },
      archive: { store: { type: 'directory', path: './out' }, rotate: { age: '1s' } },
    });
    const write = (id: string) =>
      appendFileSync(input, `${JSON.stringify({ customer: 'acme', text: 'hello world', id })}\n`);
    write('before');
    const run = start(['run', config]);
    const { logged, events } = logOf(run);
    await logged('flushed');
    const hanging = join(models, '2.0.0');
    cpSync(join(import.meta.dirname, '../classify/fixtures/hang'), hanging, { recursive: true });
    const files = ['config.json', 'tokenizer.json', 'onnx/model.onnx'].map((name) => [
      name,
      hash('sha256', readFileSync(join(hanging, name))),
    ]);
    const checks = [{ text: 'forever', scores: {} }];
    writeFileSync(
      join(hanging, 'sluice.yaml'),
      stringify({ name: 'hang', version: '2.0.0', checks, files: Object.fromEntries(files) }),
    );
    expect((await logged('reload-refused')).message).toContain('load: expected an answer within 20 s');
    write('after');
    await logged('flushed', events('flushed').length + 1);
    run.process.kill('SIGTERM');
    const end = await run.finished;
    expect([end.code, end.signal]).toEqual([1, null]);
    expect(end.stderr).toContain('load: expected an answer within 20 s');
    expect(await rows(directory, 'select content_id, model from content order by "offset"')).toEqual(
      ['before', 'after'].map((id) => ({ content_id: id, model: 'tiny@1.0.0' })),
    );
  });

  it('on S3 takes over for every partition of a topic, each at one offset', async () => {
    const [kafka, bucket] = await Promise.all([createKafkaFixture({ partitions: 3 }), makeBucket()]);
    const directory = scratch();
    const put = async (name: string, variant: Variant, damage = false) => {
      const folder = writeVariant(join(directory, 'upload', name), variant);
      const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
        /\.\w+$/.test(file),
      );
      // The manifest last: before it the version is not there.
      for (const file of files.toSorted(
        (a, b) => Number(a === 'sluice.yaml') - Number(b === 'sluice.yaml'),
      )) {
        const content = readFileSync(join(folder, file));
        if (damage && file.endsWith('.onnx')) content.fill(0, 0, 8);
        await bucket.put(`models/toxic/${name}/${file}`, content);
      }
    };
    let produced = 0;
    let isProducing = true;
    const produce = async () => {
      while (isProducing) {
        for (const partition of [0, 1, 2])
          await kafka.produce(
            partition,
            Array.from({ length: 50 }, () =>
              JSON.stringify({ customer: 'acme', text: `hello ${produced++}` }),
            ),
          );
      }
    };
    let producing: Promise<void> | undefined;
    try {
      await put('1.0.0', version('1.0.0'));
      const config = writeConfig(directory, {
        kafka: { brokers: kafkaOf().brokers },
        source: {
          type: 'kafka',
          topics: [kafka.topic],
          group: kafka.group,
          session_timeout: '6s',
          heartbeat_interval: '1s',
        },
        classify: {
          model: `s3://${bucket.name}/models/toxic`,
          s3: { endpoint: s3Endpoint(), path_style: true },
          cache: './cache',
          workers: 2,
          language: 'off',
          reload: '300ms',
        },
        archive: {
          store: {
            type: 's3',
            bucket: bucket.name,
            prefix: 'archive/',
            endpoint: s3Endpoint(),
            path_style: true,
          },
        },
      });
      producing = produce();
      const run = start(['run', config]);
      const { logged, events } = logOf(run);
      await logged('assignment-recovered');
      await put('1.5.0', version('1.5.0'), true);
      expect((await logged('reload-refused')).message).toContain('sha256');
      const before = produced;
      await vi.waitFor(() => expect(produced).toBeGreaterThan(before + 1000), { timeout: WAIT });
      await put('2.0.0', version('2.0.0'));
      await logged('reloaded');
      const after = produced;
      await vi.waitFor(() => expect(produced).toBeGreaterThan(after + 1000), { timeout: WAIT });
      isProducing = false;
      await producing;
      run.process.kill('SIGTERM');
      const end = await run.finished;
      expect(end.code, end.stderr).toBe(0);
      expect(events('reloaded')).toHaveLength(1);
      const rest = await sluice(['run', config, '--until-end']);
      expect(rest.code, rest.stderr).toBe(0);
      expect((await sluice(['verify', config])).code).toBe(0);

      rmSync(join(directory, 'out'), { recursive: true, force: true });
      for (const key of await bucket.keys()) {
        if (!key.endsWith('.parquet')) continue;
        const file = join(directory, 'out', key.slice('archive/'.length));
        mkdirSync(join(file, '..'), { recursive: true });
        writeFileSync(file, await bucket.read(key));
      }
      const [totals] = await rows(
        directory,
        'select count(*)::INT as n, count(distinct id)::INT as ids from content',
      );
      expect(totals).toEqual({ n: produced, ids: produced });
      expect(await rows(directory, CHANGES)).toEqual(
        [0, 1, 2].map((partition) => ({ partition, first: 'tiny@1.0.0', later: ['tiny@2.0.0'] })),
      );
    } finally {
      isProducing = false;
      await producing;
      await Promise.all([kafka.remove(), bucket.close()]);
    }
  });
});

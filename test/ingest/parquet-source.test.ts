import { copyFileSync, mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { InputError, messageOf } from '../../src/errors.ts';
import { fileSourceConfig } from '../../src/ingest/config.ts';
import { createFileSource, type FileSourceOptions } from '../../src/ingest/file-source.ts';
import { messagesOf, recordBatches } from '../contract/source.ts';
import { archiveRows, writeParquet } from './parquet-file.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sluice-parquet-source-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));
const file = (name: string) => join(directory, name);

/** Reads to the end; commits the first `commits` batches. */
async function readAll(
  inputs: readonly string[],
  options: Partial<FileSourceOptions> = {},
  commits = Infinity,
) {
  const config = fileSourceConfig.parse({ type: 'file', inputs, batch_messages: 4 });
  const source = createFileSource(config, {
    positionFile: file('state/positions'),
    pollMillis: 2,
    ...options,
  });
  const recording = recordBatches();
  let error: unknown;
  await source.run(recording, { untilEnd: true }).catch((caught: unknown) => (error = caught));
  const remaining = source.remaining();
  const token = recording.assignments[0]!.token;
  for (const [at, { topic, partition, next }] of recording.batches.entries())
    if (at < commits) await source.commit(token, [{ topic, partition, offset: next }], `tx-${at}`);
  await source.close();
  return { messages: messagesOf(recording.batches), batches: recording.batches, error, remaining };
}

describe('Parquet files of a file source', () => {
  it('are rows beside lines: a partition each, read once, known by their first bytes', async () => {
    await writeParquet(file('a.data'), `SELECT n FROM range(6) t(n)`);
    writeFileSync(file('b.jsonl'), '{"n":6}\n{"n":7}');
    const inputs = [file('a.data'), file('b.jsonl')];
    const first = await readAll(inputs);
    expect(first.messages).toEqual([
      ...Array.from({ length: 6 }, (_, n) => [0, n, `{"n":${n}}`]),
      [1, 0, '{"n":6}'],
      [1, 1, '{"n":7}'],
    ]);
    expect(first.remaining?.bytes).toBe(0);
    expect((await readAll(inputs)).messages).toEqual([]);
  });

  it('go on from what is committed, wherever a run ended', async () => {
    await writeParquet(file('a.parquet'), archiveRows(40), 16);
    const slice = { customer: 'a', scores: false };
    const whole = (await readAll([file('a.parquet')], { slice }, 0)).messages;
    expect(whole.length).toBe(20);
    for (let commits = 0; commits <= 5; commits++) {
      rmSync(file('state'), { recursive: true, force: true });
      const before = await readAll([file('a.parquet')], { slice }, commits);
      const after = await readAll([file('a.parquet')], { slice });
      const kept = messagesOf(before.batches.slice(0, commits));
      expect([...kept, ...after.messages]).toEqual(whole);
      expect((await readAll([file('a.parquet')], { slice })).messages).toEqual([]);
    }
  });

  it('settle every row of the file, wanted or not', async () => {
    await writeParquet(file('a.parquet'), archiveRows(41));
    const { batches } = await readAll([file('a.parquet')], { slice: { customer: 'b', scores: false } });
    expect(batches[0]!.first).toBe(0);
    for (const [at, batch] of batches.entries()) expect(batch.first).toBe(batches[at - 1]?.next ?? 0);
    expect(batches.at(-1)!.next).toBe(41);
  });

  it('that are damaged, or cut since, are InputErrors; other files are read', async () => {
    await writeParquet(file('a.parquet'), `SELECT n FROM range(100) t(n)`);
    copyFileSync(file('a.parquet'), file('b.parquet'));
    truncateSync(file('b.parquet'), 200);
    const { messages, error } = await readAll([file('b.parquet'), file('a.parquet')]);
    expect(messages.length).toBe(100);
    expect(error).toBeInstanceOf(InputError);
    expect(messageOf(error)).toContain('b.parquet: cannot be read');
    await writeParquet(file('a.parquet'), `SELECT n FROM range(50) t(n)`);
    const again = await readAll([file('a.parquet')]);
    expect(messageOf(again.error)).toMatch(
      /a.parquet: expected at least the 100 rows that are committed, got 50/,
    );
  });
});

describe('inputs in S3', () => {
  /** Objects of a bucket as files of a folder: what a download does is the same. */
  const remote = (fetched: string[]) => ({
    directory: file('state/inputs'),
    download: async (url: string, path: string) => {
      fetched.push(url);
      await copyFile(file(basename(url)), path);
    },
    sizeOf: () => 1000,
  });

  it('are fetched in turn, one ahead, removed, and not again when they are done', async () => {
    const names = ['a.parquet', 'b.jsonl', 'c.parquet'];
    await writeParquet(file('a.parquet'), `SELECT n FROM range(3) t(n)`);
    writeFileSync(file('b.jsonl'), '{"n":0}\n');
    await writeParquet(file('c.parquet'), `SELECT n FROM range(2) t(n)`);
    const inputs = names.map((name) => `s3://bucket/${name}`);
    const fetched: string[] = [];
    const first = await readAll(inputs, { remote: remote(fetched) }, 2);
    expect(first.messages.map(([partition, offset]) => [partition, offset])).toEqual([
      [0, 0],
      [0, 1],
      [0, 2],
      [1, 0],
      [2, 0],
      [2, 1],
    ]);
    expect(fetched).toEqual(inputs);
    expect(readdirSync(file('state/inputs'))).toEqual([]);
    fetched.length = 0;
    const second = await readAll(inputs, { remote: remote(fetched) });
    expect(second.messages.map(([partition]) => partition)).toEqual([2, 2]);
    expect(fetched).toEqual([inputs[2]]);
  });

  it('that no row of a slice is in are not fetched again either', async () => {
    await writeParquet(file('a.parquet'), archiveRows(3));
    const fetched: string[] = [];
    const options = { remote: remote(fetched), slice: { customer: 'nobody', scores: false } };
    for (let run = 0; run < 2; run++)
      expect((await readAll(['s3://bucket/a.parquet'], options)).messages).toEqual([]);
    expect(fetched.length).toBe(1);
  });

  it('that cannot be fetched are InputErrors; the others are read', async () => {
    writeFileSync(file('b.jsonl'), '{"n":0}\n');
    const { messages, error } = await readAll(['s3://bucket/a', 's3://bucket/b.jsonl'], {
      remote: remote([]),
    });
    expect(messages.length).toBe(1);
    expect(messageOf(error)).toContain('s3://bucket/a: ');
    expect(error).toBeInstanceOf(InputError);
  });

  it('need a connection', async () => {
    expect(messageOf((await readAll(['s3://bucket/a'])).error)).toContain('knows no S3 connection');
  });
});

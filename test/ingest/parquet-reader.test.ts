import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { InputError } from '../../src/errors.ts';
import { createDecoder } from '../../src/ingest/decode.ts';
import { ingestConfig } from '../../src/ingest/index.ts';
import {
  createParquetReader,
  isParquet,
  type ParquetBatch,
  type ParquetReadOptions,
} from '../../src/ingest/parquet-reader.ts';
import { archiveRows, writeParquet } from './parquet-file.ts';

let directory: string;
const reader = createParquetReader();
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sluice-parquet-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));
const file = (name = 'rows.parquet') => join(directory, name);

async function read(path: string, options: Partial<ParquetReadOptions> = {}): Promise<ParquetBatch[]> {
  const batches: ParquetBatch[] = [];
  const all = { from: 0, batchMessages: 100, batchBytes: 1e6, ...options };
  for await (const batch of reader.read(path, all)) batches.push(batch);
  return batches;
}

function messages(batches: readonly ParquetBatch[]): [number, Record<string, unknown>][] {
  return batches.flatMap(({ rows, bytes, starts, ends, offsets }) =>
    Array.from({ length: rows }, (_, row): [number, Record<string, unknown>] => [
      offsets[row]!,
      JSON.parse(Buffer.from(bytes.subarray(starts[row], ends[row])).toString()) as Record<string, unknown>,
    ]),
  );
}

describe('any Parquet file', () => {
  it('is rows as objects of their columns, in order, whatever the row groups', async () => {
    await writeParquet(file(), `SELECT n AS id, 'text ' || n AS body FROM range(7000) t(n)`);
    const batches = await read(file(), { batchMessages: 1000 });
    expect(batches.map(({ rows, next }) => [rows, next])).toEqual(
      Array.from({ length: 7 }, (_, at) => [1000, (at + 1) * 1000]),
    );
    const expected = Array.from({ length: 7000 }, (_, n) => [n, { id: n, body: `text ${n}` }]);
    expect(messages(batches)).toEqual(expected);
  });

  it('refuses a file with a damaged page behind rows that were read, instead of ending there', async () => {
    await writeParquet(file(), `SELECT n AS id, md5(n::VARCHAR) AS body FROM range(100000) t(n)`, 10_000);
    const bytes = readFileSync(file());
    writeFileSync(file(), bytes.fill(0xff, bytes.length >> 1, (bytes.length >> 2) * 3));
    const batches: ParquetBatch[] = [];
    const reading = async () => {
      for await (const batch of reader.read(file(), { from: 0, batchMessages: 100, batchBytes: 1e6 }))
        batches.push(batch);
    };
    await expect(reading()).rejects.toThrow(/Failed to read file .*rows\.parquet/);
    expect(batches.length).toBeGreaterThan(0);
    expect(batches.at(-1)!.next).toBeLessThan(60_000);
  });

  it('keeps every value that JSON can say, and leaves out what it cannot', async () => {
    await writeParquet(
      file(),
      `SELECT NULL::VARCHAR AS "null", 'nan'::DOUBLE AS "nan", '-inf'::FLOAT AS "inf", 0.5::DOUBLE AS half,
        9007199254740993 AS big, 1234567890123456789.123456789::DECIMAL(38, 9) AS "decimal", true AS yes,
        TIMESTAMP '2026-01-02 03:04:05.678901' AS "at", DATE '2026-01-02' AS "day", encode('bytes ü') AS bytes,
        '\\xAA\\xFF'::BLOB AS binary, 'a"b\\c' || chr(0) || chr(10) || '🙂' AS "odd ""name""",
        {'inner': [1, 2], 'none': NULL} AS "struct", MAP {'k': 'v'} AS "map"`,
    );
    const [batch] = await read(file());
    const text = Buffer.from(batch!.bytes.subarray(batch!.starts[0], batch!.ends[0])).toString();
    expect(text).toContain('"big":9007199254740993,');
    expect(messages([batch!])[0]![1]).toEqual({
      half: 0.5,
      big: 9007199254740992,
      decimal: '1234567890123456789.123456789',
      yes: true,
      at: '2026-01-02 03:04:05.678901',
      day: '2026-01-02',
      bytes: 'bytes ü',
      'odd "name"': 'a"b\\c\0\n🙂',
      struct: { inner: [1, 2] },
      map: { k: 'v' },
    });
  });

  it('keeps a row whose nested numbers JSON cannot say', async () => {
    await writeParquet(
      file(),
      `SELECT ['nan'::DOUBLE, -1.5, 'inf', 'nan'] AS vector, {'x': '-inf'::FLOAT, 'NaN': 'a,NaN,"Infinity\\', 'y': -2} AS "struct",
        MAP {'k': 'nan'::DOUBLE, 'NaN': 1} AS "map", [{'d': 1.5::DECIMAL(5, 1)}] AS decimals, [0.5::FLOAT] AS plain,
        NULL::DOUBLE[] AS nothing`,
    );
    expect(messages(await read(file()))).toEqual([
      [
        0,
        {
          vector: [null, -1.5, null, null],
          struct: { NaN: 'a,NaN,"Infinity\\', y: -2 },
          map: { NaN: 1 },
          decimals: [{ d: 1.5 }],
          plain: [0.5],
        },
      ],
    ]);
  });

  it('goes on from each row', async () => {
    await writeParquet(file(), `SELECT n FROM range(60) t(n)`);
    for (let from = 0; from <= 60; from++) {
      const rows = messages(await read(file(), { from, batchMessages: 7 }));
      expect(rows.map(([offset]) => offset)).toEqual(Array.from({ length: 60 - from }, (_, at) => from + at));
    }
  });

  it('cuts batches by bytes; a larger row comes alone', async () => {
    await writeParquet(
      file(),
      `SELECT repeat('x', CASE WHEN n = 2 THEN 5000 ELSE 300 END) AS t FROM range(6) t(n)`,
    );
    expect((await read(file(), { batchBytes: 1000 })).map(({ rows }) => rows)).toEqual([2, 1, 3]);
  });

  it('takes its path as it is', async () => {
    for (const name of [`it's [1]*?.parquet`, 'customer=x,dt=2026.parquet']) {
      await writeParquet(file('plain.parquet'), `SELECT 1 AS n`);
      copyFileSync(file('plain.parquet'), file(name));
      expect(messages(await read(file(name)))).toEqual([[0, { n: 1 }]]);
    }
  });

  it('is told by its first bytes', async () => {
    await writeParquet(file(), `SELECT 1 AS n`);
    writeFileSync(file('lines'), '{}\n');
    writeFileSync(file('empty'), '');
    expect(
      await Promise.all([isParquet(file()), isParquet(file('lines')), isParquet(file('empty'))]),
    ).toEqual([true, false, false]);
  });

  it('refuses a file that has lost committed rows', async () => {
    await writeParquet(file(), `SELECT n FROM range(10) t(n)`);
    await expect(read(file(), { from: 11 })).rejects.toThrow(InputError);
    await expect(read(file(), { from: 11 })).rejects.toThrow(/at least the 11 rows.*got 10/);
  });
});

describe('a file of an archive', () => {
  it('becomes the messages that it holds, with what was decided', async () => {
    await writeParquet(file(), archiveRows(3));
    const batches = await read(file(), { slice: { scores: true } });
    expect(messages(batches)[1]).toEqual([
      1,
      {
        id: 'c1',
        customer: 'b',
        text: 'text 1',
        user: null,
        type: 'post',
        lang: 'en',
        created_at: '2026-01-01T01:00:00.000001Z',
        metadata: { k: 'v1' },
        archived: {
          id: 'content-3-1',
          action: 'review',
          reasons: ['toxic', 'spam'],
          scores: { toxic: expect.closeTo(0.9, 6) as number, spam: expect.closeTo(0.7, 6) as number },
          model: 'm@1',
          policy: 'p@1',
        },
      },
    ]);
    expect([...batches[0]!.timestamps]).toEqual(Array<number>(3).fill(Date.parse('2026-02-01T00:00:00Z')));
  });

  it('decodes to the rows that were archived', async () => {
    await writeParquet(file(), archiveRows(4));
    const [batch] = await read(file(), { slice: { scores: false } });
    const at = Date.now();
    const raw = { topic: 't', partition: 0, first: 0, receivedAt: at, ...batch! };
    const decoded = createDecoder(ingestConfig.parse({}))(raw);
    expect(decoded.deadLetters).toEqual([]);
    expect(decoded).toMatchObject({
      contentId: ['c0', 'c1', 'c2', 'c3'],
      customer: ['a', 'b', 'a', 'b'],
      text: ['text 0', 'text 1', 'text 2', 'text 3'],
      userId: ['u0', null, null, 'u3'],
      language: ['en', 'en', 'en', 'en'],
    });
    expect(decoded.createdAt[2]).toBe(Date.parse('2026-01-01T02:00:00Z') * 1000 + 1);
    const archived =
      '{"id":"content-3-2","action":"review","reasons":["toxic","spam"],"model":"m@1","policy":"p@1"}';
    expect(decoded.metadata[2]).toEqual(['archived', archived, 'k', 'v2']);
  });

  it('is cut to a slice; what is left out is settled with the batch before it', async () => {
    await writeParquet(file(), archiveRows(5000));
    const slice = {
      customer: 'b',
      from: Date.parse('2026-01-02T00:00:00Z'),
      to: Date.parse('2026-01-03T00:00:00Z'),
      scores: false,
    };
    const batches = await read(file(), { slice, batchMessages: 5 });
    expect(messages(batches).map(([offset]) => offset)).toEqual([
      25, 27, 29, 31, 33, 35, 37, 39, 41, 43, 45, 47,
    ]);
    expect(batches.map(({ next }) => next)).toEqual([35, 45, 5000]);
    expect(messages(await read(file(), { slice, from: 35 })).map(([offset]) => offset)[0]).toBe(35);
    expect(await read(file(), { slice: { customer: `o'neil`, scores: false } })).toEqual([]);
  });

  it('is refused where it is none', async () => {
    await writeParquet(file(), `SELECT 1 AS id, 'x' AS body`);
    await expect(read(file(), { slice: { scores: false } })).rejects.toThrow(
      /expected a file of an archive.*got id, body/,
    );
  });

  it('may be an older one, without the columns that came later', async () => {
    await writeParquet(
      file(),
      `SELECT id, customer, content_id, content, created_at, action FROM (${archiveRows(2)})`,
    );
    const batches = await read(file(), { slice: { scores: true } });
    expect(messages(batches)[0]![1]).toEqual({
      id: 'c0',
      customer: 'a',
      text: 'text 0',
      created_at: '2026-01-01T00:00:00.000001Z',
      archived: { id: 'content-3-0', action: 'review' },
    });
    expect(batches[0]!.timestamps).toEqual(new Float64Array(2).fill(NaN));
  });
});

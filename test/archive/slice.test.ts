import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import * as fc from 'fast-check';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import { afterAll, describe, expect, it } from 'vitest';
import { encodeFile, type EncodeTask } from '../../src/archive/encode.ts';
import { encodeSlices } from '../../src/archive/content-slices.ts';
import { zstdDecompressSync } from 'node:zlib';
import { expectedRow, inputOf, rowOf, type TestBatch } from './rows.ts';

const directory = mkdtempSync(join(tmpdir(), 'sluice-slice-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.string({ maxLength: 20 }),
  fc.constantFrom('', '\0', '\ud800', 'x'.repeat(5000), 'ü'.repeat(40), '"quoted"', "it's"),
);
const score = () => fc.float({ min: 0, max: 1, noNaN: true });
const maybe = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: null });
const LABELS = ['toxicity', 'hate speech', 'sexual/minors', 'a.b', 'ü'];
const MODELS = ['candidate@2.0.0', 'ü@1'];
const shadow = fc.record({
  actions: fc.uniqueArray(fc.tuple(fc.constantFrom(...MODELS), fc.constantFrom('allow', 'block')), {
    selector: ([key]) => key,
  }),
  scores: fc.uniqueArray(
    fc.tuple(fc.constantFrom(...MODELS.flatMap((id) => LABELS.map((label) => `${id}/${label}`))), score()),
    { maxLength: 4, selector: ([key]) => key },
  ),
});
const batchArb: fc.Arbitrary<TestBatch> = fc.record({
  labels: fc.subarray(LABELS),
  model: maybe(fc.constantFrom('m@1', 'm@2')),
  topic: fc.constantFrom('content', 'a.b_c-1'),
  partition: fc.nat(3),
  first: fc.oneof(fc.nat(10), fc.constantFrom(2 ** 31 - 2, 2 ** 53 - 100, 999_999)),
  rows: fc.array(
    fc.record({
      customer: fc.constantFrom('acme', 'a/b', '\ud800', ''),
      contentId: text,
      userId: maybe(text),
      text,
      contentType: maybe(text),
      language: maybe(fc.constantFrom('en', 'de-CH')),
      createdAt: fc.oneof(
        fc.integer({ min: -(10 ** 15), max: 2 * 10 ** 15 }),
        fc.integer({ min: 0, max: 20 }),
      ),
      action: fc.nat(2),
      reasons: maybe(fc.array(fc.constantFrom(...LABELS), { maxLength: 3 })),
      metadata: maybe(
        fc.uniqueArray(fc.tuple(fc.string({ maxLength: 8 }), text), {
          maxLength: 3,
          selector: ([key]) => key,
        }),
      ),
      scores: fc.array(fc.oneof(score(), fc.constant(NaN)), {
        maxLength: 5,
      }),
      model: fc.constantFrom(undefined, null, 'm@1', 'm@1,s@3'),
      shadow: fc.option(shadow, { nil: null, freq: 2 }),
    }),
    { maxLength: 12 },
  ),
});

const task = (chunks: EncodeTask['chunks'], customer?: string): EncodeTask => ({
  table: 'content',
  chunks,
  customer,
  rowGroupRows: 7,
  compression: 'zstd',
  transaction: 'tx1',
  version: '1.2.3',
});

/** Rows of a Parquet file by hyparquet, in file order. */
async function readRows(content: Uint8Array<ArrayBuffer>): Promise<Record<string, unknown>[]> {
  const rows = await parquetReadObjects({
    file: content.slice().buffer,
    compressors: {
      ZSTD: (input: Uint8Array, size: number) =>
        new Uint8Array(zstdDecompressSync(input, { maxOutputLength: Math.max(1, size) })),
    },
    parsers: { ...timestampsAsMicros },
  });
  return rows as Record<string, unknown>[];
}

const micros = (value: bigint) => Number(value);
const timestampsAsMicros = {
  timestampFromMilliseconds: micros,
  timestampFromMicroseconds: micros,
  timestampFromNanoseconds: micros,
  dateFromDays: Number,
  stringFromBytes: (bytes: Uint8Array) => bytes && new TextDecoder().decode(bytes),
  geometryFromBytes: (bytes: Uint8Array) => bytes,
  geographyFromBytes: (bytes: Uint8Array) => bytes,
};

/** A value as it can be compared: numbers for integers; hyparquet makes objects of maps, which have an order of their own. */
function normal(name: string, value: unknown): unknown {
  if (value === undefined) return null;
  if (typeof value === 'bigint') return Number(value);
  if (!['metadata', 'shadow_actions', 'shadow_scores'].includes(name) || value === null) return value;
  const entries: [string, unknown][] = Array.isArray(value) ? value : Object.entries(value);
  return entries.toSorted(([a], [b]) => (a < b ? -1 : 1));
}

const normalRow = (row: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(row).map(([name, value]) => [name, normal(name, value)]));

describe('rows to slices to a Parquet file', () => {
  it('come back the same, in order of customer and time, from hyparquet', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(batchArb, { minLength: 1, maxLength: 4 }), async (batches) => {
        const chunks = batches.map((batch) => encodeSlices(inputOf(batch)).arena);
        const slices = batches.flatMap((batch) =>
          encodeSlices(inputOf(batch)).shards.map(({ customer }) => ({ batch, customer })),
        );
        if (slices.length === 0) return;
        // The file's labels are those of its slices, in order of appearance.
        const labels = [...new Set(slices.flatMap(({ batch }) => batch.labels ?? []))];
        const rows = batches.flatMap((batch) =>
          encodeOrder(batch).map((index) => ({
            customer: batch.rows[index]!.customer,
            row: expectedRow(batch, index, labels),
          })),
        );
        const expected = rows
          .toSorted((a, b) =>
            a.customer === b.customer
              ? Number(a.row['created_at']) - Number(b.row['created_at'])
              : a.customer < b.customer
                ? -1
                : 1,
          )
          .map(({ row }) => normalRow(row));
        const file = await encodeFile(task(chunks));
        expect(file.rows).toBe(expected.length);
        const times = expected.map((row) => Number(row['created_at']));
        expect([file.minCreatedAt, file.maxCreatedAt]).toEqual([Math.min(...times), Math.max(...times)]);
        const found = await readRows(file.content);
        expect(
          found
            .map((row) => normalRow(row.scores === undefined ? { ...row, scores: null } : row))
            .map(sortKeys),
        ).toEqual(expected.map(sortKeys));
      }),
      { numRuns: 60 },
    );
  });

  it('are read by DuckDB with the same values', async () => {
    const batch: TestBatch = {
      labels: ['toxicity', 'hate speech'],
      model: 'm@1',
      first: 2 ** 53 - 3,
      rows: [
        rowOf({
          createdAt: 5,
          text: 'ü\0\n"x"',
          reasons: ['toxicity'],
          action: 2,
          scores: [0.123456, NaN],
          metadata: [
            ['k', 'v'],
            ['k2', ''],
          ],
        }),
        rowOf({
          createdAt: -3,
          userId: null,
          language: null,
          contentType: null,
          scores: [NaN, 1],
          reasons: [],
        }),
      ],
    };
    const { content } = await encodeFile(task([encodeSlices(inputOf(batch)).arena], 'acme'));
    const path = join(directory, 'duck.parquet');
    writeFileSync(path, content);
    const connection = await (await DuckDBInstance.create()).connect();
    const result = await connection.runAndReadAll(
      `SELECT id, content, user_id, epoch_us(created_at) AS created_at, action, reasons, scores, metadata, "offset",
         typeof(created_at) AS type FROM read_parquet('${path}')`,
    );
    expect(result.getRowObjectsJson()).toEqual([
      {
        id: `content-0-${2 ** 53 - 2}`,
        content: 'hello',
        user_id: null,
        created_at: '-3',
        action: 'allow',
        reasons: [],
        scores: { toxicity: null, 'hate speech': 1 },
        metadata: null,
        offset: String(2 ** 53 - 2),
        type: 'TIMESTAMP WITH TIME ZONE',
      },
      {
        id: `content-0-${2 ** 53 - 3}`,
        content: 'ü\0\n"x"',
        user_id: 'user-1',
        created_at: '5',
        action: 'block',
        reasons: ['toxicity'],
        scores: { toxicity: Math.fround(0.1235), 'hate speech': null },
        metadata: [
          { key: 'k', value: 'v' },
          { key: 'k2', value: '' },
        ],
        offset: String(2 ** 53 - 3),
        type: 'TIMESTAMP WITH TIME ZONE',
      },
    ]);
    // Filters by statistics and page index must not lose rows.
    for (const filter of [
      'created_at = make_timestamptz(5)',
      '"offset" = 9007199254740989',
      `customer = 'acme' AND created_at > make_timestamptz(0)`,
    ]) {
      const [count] = (
        await connection.runAndReadAll(`SELECT count(*) FROM read_parquet('${path}') WHERE ${filter}`)
      ).getRows()[0]!;
      expect([filter, count]).toEqual([filter, 1n]);
    }
    connection.closeSync();
  });

  it('hold each filtered row exactly once, over many row groups and pages', async () => {
    const rows = Array.from({ length: 30_000 }, (_, i) =>
      rowOf({ createdAt: (i * 7919) % 30_000, text: `text number ${i}`, userId: `u${i % 100}` }),
    );
    const { content } = await encodeFile({
      ...task([encodeSlices(inputOf({ rows })).arena]),
      rowGroupRows: 8_000,
    });
    const path = join(directory, 'pages.parquet');
    writeFileSync(path, content);
    const connection = await (await DuckDBInstance.create()).connect();
    const counts = await connection.runAndReadAll(
      `SELECT count(*), count(DISTINCT id), count(*) FILTER (user_id = 'u7'), sum(epoch_us(created_at))::BIGINT
       FROM read_parquet('${path}') WHERE epoch_us(created_at) BETWEEN 10000 AND 19999`,
    );
    expect(counts.getRows()).toEqual([[10_000n, 10_000n, 100n, 149_995_000n]]);
    const sorted = await connection.runAndReadAll(
      `SELECT count(*) FROM (SELECT created_at < lag(created_at) OVER (ORDER BY file_row_number) AS back
         FROM read_parquet('${path}', file_row_number = true)) WHERE back`,
    );
    expect(sorted.getRows()).toEqual([[0n]]);
    connection.closeSync();
  });

  it('name their version and transaction, and have timestamps that Athena and Iceberg take', async () => {
    const { content, crc32 } = await encodeFile(task([encodeSlices(inputOf({ rows: [rowOf()] })).arena]));
    const metadata = parquetMetadata(content.buffer);
    const pairs = Object.fromEntries(metadata.key_value_metadata!.map(({ key, value }) => [key, value]));
    expect(pairs).toMatchObject({ 'sluice.version': '1.2.3', 'sluice.transaction': 'tx1' });
    const created = metadata.schema.find(({ name }) => name === 'created_at')!;
    expect(created).toMatchObject({
      type: 'INT64',
      logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MICROS' },
    });
    expect(crc32).toMatch(/^[0-9a-f]{8}$/);
    expect(metadata.schema.some(({ name }) => name === 'scores')).toBe(false);
  });

  it('are refused when a slice is of another customer, or is no slice', async () => {
    const slices = (customer: string) => encodeSlices(inputOf({ rows: [rowOf({ customer })] })).arena;
    await expect(encodeFile(task([slices('a'), slices('b')], 'a'))).rejects.toMatchObject({
      name: 'CorruptError',
      message: 'expected rows of customer "a" only in a file of tx1, got some of "b"',
    });
    await expect(encodeFile(task([slices('\ud800')], '\ufffd'))).rejects.toMatchObject({
      name: 'CorruptError',
    });
    for (const cut of [8, 24, 100]) {
      await expect(encodeFile(task([slices('a').slice(0, -cut)], 'a'))).rejects.toMatchObject({
        name: 'CorruptError',
      });
    }
  });
});

describe('slices', () => {
  it('leave poisoned rows out and count the others', () => {
    const rows = [
      rowOf({ customer: 'a', action: 2, reasons: ['hate'] }),
      rowOf({ customer: 'b', language: null }),
      rowOf({ customer: 'a', action: 1, reasons: ['hate', 'spam'] }),
      rowOf({ customer: '__proto__' }),
      rowOf({ customer: 'a', language: 'sw', reasons: ['unsupported_language'] }),
    ];
    const { shards, tally, rows: count } = encodeSlices(inputOf({ rows, poison: [1] }));
    expect(count).toBe(4);
    expect(shards.map(({ customer, rows: n }) => [customer, n])).toEqual([
      ['a', 3],
      ['__proto__', 1],
    ]);
    expect(Object.entries(tally.actions)).toEqual([
      ['a', [1, 1, 1]],
      ['__proto__', [1, 0, 0]],
    ]);
    expect(tally.reasons['a']).toEqual({ hate: 2, spam: 1 });
    expect(tally.languages).toEqual({ en: [1, 1, 1], sw: [1, 0, 0] });
    expect(tally.unsupported).toEqual({ sw: 1 });
  });

  it('keep the policy of each customer', async () => {
    const input = inputOf({
      rows: [rowOf({ customer: 'a' }), rowOf({ customer: 'b' }), rowOf({ customer: 'a' })],
    });
    const verdicts = { ...input.verdicts, policies: ['strict@2', 'default@1', 'strict@2'] };
    const { content } = await encodeFile(task([encodeSlices({ ...input, verdicts }).arena]));
    const rows = await readRows(content);
    expect(rows.map(({ customer, policy }) => [customer, policy])).toEqual([
      ['a', 'strict@2'],
      ['a', 'strict@2'],
      ['b', 'default@1'],
    ]);
    const mixed = { ...input.verdicts, policies: ['strict@2', 'default@1', 'strict@3'] };
    expect(() => encodeSlices({ ...input, verdicts: mixed })).toThrow('one policy for a customer');
  });

  it('are of one model each, and say which', async () => {
    const rows = ['a@1', 'b@1', 'a@1', null].map((model, i) => rowOf({ model, createdAt: i }));
    const { shards, arena } = encodeSlices(inputOf({ rows, model: 'a@1' }));
    expect(shards.map(({ rows: n }) => n)).toEqual([2, 1, 1]);
    const found = await readRows((await encodeFile(task([arena]))).content);
    expect(found.map(({ model }) => model ?? null)).toEqual(['a@1', 'b@1', 'a@1', null]);
  });

  it('are one per customer and day, end to end in the arena', () => {
    const late = Date.UTC(2026, 0, 2) * 1000;
    const rows = [
      rowOf(),
      rowOf({ createdAt: late }),
      rowOf({ customer: 'b' }),
      rowOf(),
      rowOf({ createdAt: late }),
    ];
    const { shards, arena } = encodeSlices(inputOf({ rows }));
    expect(shards.map(({ customer, day, rows: n }) => [customer, day, n])).toEqual([
      ['acme', '2026-01-01', 2],
      ['acme', '2026-01-02', 2],
      ['b', '2026-01-01', 1],
    ]);
    expect(shards.map(({ start }) => start)).toEqual([0, ...shards.slice(0, -1).map(({ end }) => end)]);
    expect(shards.at(-1)!.end).toBe(arena.length);
    const hourly = encodeSlices(inputOf({ rows, partitionBy: ['day', 'hour'] })).shards;
    expect(hourly[0]!.day).toBe('2026-01-01/00');
  });
});

/** Rows of a batch as slices lay them out: by customer, day and model in order of appearance. */
function encodeOrder(batch: TestBatch): number[] {
  const groups = new Map<string, number[]>();
  for (const [index, row] of batch.rows.entries()) {
    const { customer, createdAt, model = batch.model } = row;
    const key = JSON.stringify([customer, Math.floor(createdAt / 86_400_000_000), model]);
    groups.set(key, [...(groups.get(key) ?? []), index]);
  }
  return [...groups.values()].flat();
}

function sortKeys(row: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.keys(row)
      .toSorted()
      .map((key) => [key, row[key]]),
  );
}

import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import { DuckDBInstance } from '@duckdb/node-api';
import * as fc from 'fast-check';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import { afterAll, describe, expect, it } from 'vitest';
import {
  archiveConfig,
  athenaDdl,
  createArchive,
  createDirectoryStore,
  encodeFile,
  query,
  TABLES,
  verifyArchive,
  type EncodeTask,
  type PartitionKey,
} from '../../src/archive/index.ts';
import { decodeManifest, encodeManifest } from '../../src/archive/manifest.ts';
import type { CommittedPosition } from '../../src/ports.ts';
import type { Transaction } from '../../src/types.ts';
import { expectedFeedback, feedbackOf, scoredFeedback, type FeedbackRows } from './feedback-rows.ts';
import { rowOf, scoredOf } from './rows.ts';

const scratch = mkdtempSync(join(tmpdir(), 'sluice-feedback-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const task = (chunks: EncodeTask['chunks'], more: Partial<EncodeTask> = {}): EncodeTask => ({
  table: 'feedback',
  chunks,
  customer: undefined,
  rowGroupRows: 7,
  compression: 'zstd',
  transaction: 'tx1',
  version: '1.2.3',
  ...more,
});

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom('', '\0', '\ud800', 'x'.repeat(3000), 'ü'.repeat(40)),
);
const maybe = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: null });
const batches: fc.Arbitrary<FeedbackRows> = fc.record({
  partition: fc.nat(3),
  first: fc.oneof(fc.nat(10), fc.constantFrom(2 ** 31 - 2, 2 ** 53 - 100)),
  rows: fc.array(
    fc.record({
      feedbackId: text,
      kind: fc.nat(2),
      customer: fc.constantFrom('acme', 'a/b', '\ud800'),
      contentId: text,
      actorId: maybe(text),
      action: maybe(fc.constantFrom('user_warned', 'content_removed')),
      reasons: maybe(fc.array(text, { maxLength: 3 })),
      automated: maybe(fc.boolean()),
      note: maybe(text),
      createdAt: fc.integer({ min: 0, max: 2 * 10 ** 15 }),
      metadata: maybe(
        fc.uniqueArray(fc.tuple(fc.string({ maxLength: 8 }), text), {
          maxLength: 3,
          selector: ([key]) => key.toWellFormed(),
        }),
      ),
    }),
    { maxLength: 12 },
  ),
});

describe('a file of feedback', () => {
  it('gives every row back as it was, read by hyparquet', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(batches, { minLength: 1, maxLength: 4 }), async (parts) => {
        const expected = parts.flatMap((part) => part.rows.map((_, index) => expectedFeedback(part, index)));
        if (expected.length === 0) return;
        const file = await encodeFile(task(parts.map((part) => scoredFeedback(part).arena)));
        expect(file.rows).toBe(expected.length);
        const found = await readRows(file.content);
        expect(found.map(comparable).toSorted()).toEqual(expected.map(comparable).toSorted());
        const times = found.map(({ customer, created_at }) => [customer, Number(created_at)] as const);
        for (const [index, [customer, time]] of times.entries())
          if (times[index - 1]?.[0] === customer) expect(time).toBeGreaterThanOrEqual(times[index - 1]![1]);
      }),
      { numRuns: 60 },
    );
  });

  it('has the columns of its table, with types that DuckDB and Athena know', async () => {
    const rows = [
      feedbackOf({ automated: true, kind: 1, reasons: ['hate'], metadata: [['k', 'v']] }),
      feedbackOf({ automated: false, note: 'x' }),
      feedbackOf(),
    ];
    const { content } = await encodeFile(task([scoredFeedback({ rows }).arena]));
    const path = join(scratch, 'types.parquet');
    writeFileSync(path, content);
    const connection = await (await DuckDBInstance.create()).connect();
    const types = await connection.runAndReadAll(
      `SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM read_parquet('${path}'))`,
    );
    const duckTypes = {
      string: 'VARCHAR',
      category: 'VARCHAR',
      boolean: 'BOOLEAN',
      timestamp: 'TIMESTAMP WITH TIME ZONE',
      int32: 'INTEGER',
      int64: 'BIGINT',
      'list<string>': 'VARCHAR[]',
      'map<string,string>': 'MAP(VARCHAR, VARCHAR)',
      'map<string,float>': 'MAP(VARCHAR, FLOAT)',
      scores: '',
    };
    expect(types.getRows()).toEqual(TABLES.feedback.columns.map(({ name, type }) => [name, duckTypes[type]]));
    const values = await connection.runAndReadAll(
      `SELECT automated, kind, count(*)::INT FROM read_parquet('${path}') GROUP BY ALL ORDER BY automated`,
    );
    expect(values.getRows()).toEqual([
      [false, 'flag', 1],
      [true, 'moderation', 1],
      [null, 'flag', 1],
    ]);
    connection.closeSync();
    const { schema, key_value_metadata } = parquetMetadata(content.slice().buffer);
    expect(key_value_metadata).toContainEqual({ key: 'sluice.table', value: 'feedback' });
    const byName = new Map(schema.map((element) => [element.name, element]));
    expect(byName.get('automated')).toMatchObject({ type: 'BOOLEAN', repetition_type: 'OPTIONAL' });
    expect(byName.get('kind')).toMatchObject({ repetition_type: 'REQUIRED' });
    const ddl = athenaDdl({ of: 'feedback', location: 's3://lake/archive' });
    for (const { name } of TABLES.feedback.columns.filter((column) => column.name !== 'customer'))
      expect(ddl).toContain(`  \`${name}\` `);
    expect(ddl).toContain("LOCATION 's3://lake/archive/_feedback/'");
    expect(ddl).toContain("'s3://lake/archive/_feedback/customer=${customer}/dt=${dt}/'");
  });

  it('is refused when a slice is of another table or customer', async () => {
    const feedback = scoredFeedback({ rows: [feedbackOf()] }).arena;
    const content = scoredOf({ rows: [rowOf()] }).arena;
    const attempt = (chunks: EncodeTask['chunks'], more: Partial<EncodeTask> = {}) =>
      encodeFile(task(chunks, more));
    await expect(attempt([feedback, content])).rejects.toThrow(
      'expected a slice of table feedback in a file of it, got one of content',
    );
    await expect(attempt([content, feedback], { table: 'content' })).rejects.toThrow('got one of feedback');
    await expect(attempt([feedback], { customer: 'globex' })).rejects.toThrow(
      'expected rows of customer "globex" only',
    );
  });
});

/** An archive with one flush of content and feedback, and what is committed after it. */
async function archived(partitionBy: PartitionKey[] = ['customer', 'day']) {
  const root = mkdtempSync(join(scratch, 'out-'));
  const store = createDirectoryStore({ path: root });
  const transactions: string[] = [];
  const archive = createArchive({
    config: archiveConfig.parse({ store: { type: 'directory', path: root }, partition_by: partitionBy }),
    store,
    pipeline: 'p',
    encode: encodeFile,
    commit: (_token, _positions, transaction) => {
      transactions.push(transaction);
      return Promise.resolve();
    },
  });
  await archive.recover({ token: 1, partitions: [], transactions: new Set() });
  const content = [rowOf(), rowOf({ customer: 'globex', contentId: 'post-2' })];
  const feedback = [
    feedbackOf(),
    feedbackOf({ kind: 1, action: 'content_removed', feedbackId: 'mod-1' }),
    feedbackOf({ customer: 'globex', contentId: 'post-1' }),
    feedbackOf({ customer: '../x', contentId: 'post-9' }),
  ];
  archive.add(scoredOf({ rows: content, partitionBy }), 1);
  archive.add(scoredFeedback({ rows: feedback, partitionBy }), 1);
  await archive.flush('end');
  await archive.close();
  const transaction = transactions.at(-1)!;
  const positions: CommittedPosition[] = [
    { topic: 'content', partition: 0, offset: content.length, transaction },
    { topic: 'feedback', partition: 0, offset: feedback.length, transaction },
  ];
  const place = join(root, '_sluice', 'manifests', `${transaction}.json`);
  const manifest = () => decodeManifest(readFileSync(place, 'utf8'), transaction, place).transaction;
  const verified = async () => {
    const kinds: string[] = [];
    const report = await verifyArchive({
      store,
      pipeline: 'p',
      commits: { positions: () => Promise.resolve(positions), expire: false },
      onViolation: ({ kind }) => kinds.push(kind),
    });
    return { holds: report.holds, rows: report.rows, kinds };
  };
  const rewrite = (change: (transaction: Transaction) => Transaction) =>
    writeFileSync(place, encodeManifest(change(manifest())));
  return { root, manifest, verified, rewrite };
}

describe('an archive of both tables', () => {
  it.each<[PartitionKey[]]>([[['customer', 'day']], [[]], [['day', 'hour', 'customer']]])(
    'by %j commits them in one transaction, shows each in its own view, and holds',
    async (partitionBy) => {
      const { root, manifest, verified } = await archived(partitionBy);
      const { files, partitions } = manifest();
      for (const { kind, key } of files) expect(key.startsWith('_feedback/')).toBe(kind === 'feedback');
      expect(new Set(files.map(({ kind }) => kind))).toEqual(new Set(['content', 'feedback']));
      expect(partitions.map(({ topic, rows }) => [topic, rows])).toEqual([
        ['content', 2],
        ['feedback', 4],
      ]);
      expect(await verified()).toEqual({ holds: true, rows: 6, kinds: [] });
      const joined = await query(
        `SELECT f.feedback_id, f.customer, c.id FROM feedback f LEFT JOIN content c
           ON c.customer = f.customer AND c.content_id = f.content_id ORDER BY f."offset"`,
        { root },
      );
      expect(joined.rows).toEqual([
        ['flag-1', 'acme', 'content-0-0'],
        ['mod-1', 'acme', 'content-0-0'],
        ['flag-1', 'globex', null],
        ['flag-1', '../x', null],
      ]);
      expect((await query('SELECT count(*) FROM content', { root })).rows).toEqual([[2n]]);
    },
  );

  it('has an empty view of feedback with all columns where there is none', async () => {
    const root = mkdtempSync(join(scratch, 'empty-'));
    const { columns, rows } = await query('SELECT * FROM feedback', { root });
    expect([columns, rows]).toEqual([
      [...TABLES.feedback.columns.map(({ name }) => name), 'dt', 'filename'],
      [],
    ]);
  });

  it('does not hold when a file of feedback is gone, there twice, of another customer, or among the content', async () => {
    const fileOf = ({ files }: Transaction) => files.find(({ kind }) => kind === 'feedback')!;
    const gone = await archived();
    rmSync(join(gone.root, fileOf(gone.manifest()).key));
    expect((await gone.verified()).kinds).toEqual(['file_missing']);

    const twice = await archived();
    const { key } = fileOf(twice.manifest());
    cpSync(join(twice.root, key), join(twice.root, key.replace(/-\d+\.parquet$/, '-99.parquet')));
    expect((await twice.verified()).kinds).toEqual(['file_orphan']);

    const strange = await archived();
    const [one, other] = strange.manifest().files.filter(({ kind }) => kind === 'feedback');
    strange.rewrite((transaction) => ({
      ...transaction,
      files: transaction.files.map((file) =>
        file.key === one!.key ? { ...file, customer: other!.customer! } : file,
      ),
    }));
    expect((await strange.verified()).kinds).toContain('wrong_customer');

    const moved = await archived();
    const file = fileOf(moved.manifest());
    const target = file.key.slice('_feedback/'.length);
    mkdirSync(dirname(join(moved.root, target)), { recursive: true });
    cpSync(join(moved.root, file.key), join(moved.root, target));
    rmSync(join(moved.root, file.key));
    moved.rewrite((transaction) => ({
      ...transaction,
      files: transaction.files.map((each) => (each.key === file.key ? { ...each, key: target } : each)),
    }));
    expect((await moved.verified()).kinds).toEqual(['wrong_table']);
  });
});

async function readRows(content: Uint8Array<ArrayBuffer>): Promise<Record<string, unknown>[]> {
  const identity = (value: bigint) => Number(value);
  return (await parquetReadObjects({
    file: content.slice().buffer,
    compressors: {
      ZSTD: (input: Uint8Array, size: number) =>
        new Uint8Array(zstdDecompressSync(input, { maxOutputLength: Math.max(1, size) })),
    },
    parsers: {
      timestampFromMilliseconds: identity,
      timestampFromMicroseconds: identity,
      timestampFromNanoseconds: identity,
      dateFromDays: Number,
      stringFromBytes: (bytes: Uint8Array) => bytes && new TextDecoder().decode(bytes),
      geometryFromBytes: (bytes: Uint8Array) => bytes,
      geographyFromBytes: (bytes: Uint8Array) => bytes,
    },
  })) as Record<string, unknown>[];
}

/** A row as text that compares: hyparquet makes objects of maps, which have an order of their own. */
function comparable({ metadata, ...row }: Record<string, unknown>): string {
  const pairs = metadata && (Array.isArray(metadata) ? metadata : Object.entries(metadata));
  const byName = ([a]: readonly unknown[], [b]: readonly unknown[]) => (String(a) < String(b) ? -1 : 1);
  const entries = Object.entries({ ...row, metadata: pairs && (pairs as unknown[][]).toSorted(byName) });
  return JSON.stringify(entries.toSorted(byName), (_key, value: unknown) =>
    typeof value === 'bigint' ? Number(value) : value,
  );
}

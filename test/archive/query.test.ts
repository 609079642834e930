import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import {
  archiveConfig,
  createArchive,
  createDirectoryStore,
  encodeFile,
  formatRows,
  query,
  type PartitionKey,
} from '../../src/archive/index.ts';
import type { DeadLetter } from '../../src/types.ts';
import { rowOf, scoredOf, type TestBatch } from './rows.ts';

// A name that is full of what DuckDB's globs and SQL treat as their own.
const scratch = mkdtempSync(join(tmpdir(), "sluice-[q]uery's-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** An archive with one flush per batch; returns its root. */
async function archiveOf(
  batches: readonly TestBatch[],
  partitionBy: PartitionKey[] = ['customer', 'day'],
  deadLetters: DeadLetter[] = [],
) {
  const root = mkdtempSync(join(scratch, 'out-'));
  const archive = createArchive({
    config: archiveConfig.parse({ store: { type: 'directory', path: root }, partition_by: partitionBy }),
    store: createDirectoryStore({ path: root }),
    encode: encodeFile,
    commit: () => Promise.resolve(),
  });
  await archive.recover({ token: 1, partitions: [], transactions: new Set() });
  let first = 0;
  for (const batch of batches) {
    const letters = first === 0 ? deadLetters : [];
    const next = first + batch.rows.length + letters.length;
    archive.add(scoredOf({ ...batch, first, partitionBy }, { deadLetters: letters, next }), 1);
    first = next;
    await archive.flush('end');
  }
  await archive.close();
  return root;
}

describe('a query', () => {
  it('finds empty views with all columns in an archive without files', async () => {
    const root = mkdtempSync(join(scratch, 'empty-'));
    expect(await query('SELECT id, scores, dt, filename FROM content', { root })).toEqual({
      columns: ['id', 'scores', 'dt', 'filename'],
      rows: [],
    });
    expect(
      (await query('SELECT count(*) FROM dead_letters WHERE received_at > now()', { root })).rows,
    ).toEqual([[0n]]);
  });

  it('reads hostile customers back, numbers as text, and files with different labels together', async () => {
    const customers = ['42', '007', '2026-01-01', 'a/b', '..', '', 'true', 'a%2Fb', 'ü', "it's"];
    const root = await archiveOf([
      { rows: customers.map((customer) => rowOf({ customer })) },
      { rows: [rowOf({ customer: 'x', scores: [0.25] })], labels: ['hate'], model: 'm@1' },
      { rows: [rowOf({ customer: 'x', scores: [0.00321, 0.5] })], labels: ['spam', 'hate'], model: 'm@2' },
    ]);
    const found = await query(`SELECT customer FROM content WHERE customer <> 'x' ORDER BY "offset"`, {
      root,
    });
    expect(found.rows.flat()).toEqual(customers);
    const scored = await query(
      `SELECT scores, scores.hate AS hate, dt, created_at FROM content WHERE customer = 'x' ORDER BY "offset"`,
      { root },
    );
    expect(scored.rows).toEqual([
      [{ hate: 0.25, spam: null }, 0.25, '2026-01-01', '2026-01-01T00:00:00.000Z'],
      [{ hate: 0.5, spam: 0.0032 }, 0.5, '2026-01-01', '2026-01-01T00:00:00.000Z'],
    ]);
  });

  it.each<[PartitionKey[]]>([[[]], [['day']], [['customer']], [['day', 'hour', 'customer']]])(
    'works with files by %j',
    async (partitionBy) => {
      const rows = [
        rowOf({ customer: 'b', createdAt: 2 }),
        rowOf({ customer: 'a', createdAt: 1 }),
        rowOf({ customer: 'b', createdAt: 1 }),
      ];
      const root = await archiveOf([{ rows }], partitionBy);
      const found = await query('SELECT customer, epoch_us(created_at) FROM content ORDER BY ALL', { root });
      expect(found.rows).toEqual([
        ['a', 1n],
        ['b', 1n],
        ['b', 2n],
      ]);
    },
  );

  it('reads files of before and after a change of partition_by together', async () => {
    const root = await archiveOf([{ rows: [rowOf({ customer: 'x'.repeat(300) })] }], ['customer', 'day']);
    const other = await archiveOf([{ rows: [rowOf({ customer: 'y' })] }], ['day']);
    cpSync(other, root, { recursive: true });
    const found = await query('SELECT customer, dt FROM content ORDER BY ALL', { root });
    expect(found.rows).toEqual([
      ['x'.repeat(300), '2026-01-01'],
      ['y', '2026-01-01'],
    ]);
  });

  it('leaves out what lies below a name that begins with _ or a dot, but not when asked for that', async () => {
    const root = await archiveOf([{ rows: [rowOf({ customer: '_x' }), rowOf({ customer: '.y' })] }]);
    for (const name of ['_replays/again', '.hidden', 'customer=z/_old']) {
      const copy = await archiveOf([{ rows: [rowOf({ customer: 'again' })] }]);
      cpSync(copy, join(root, name), { recursive: true });
    }
    const asked = 'SELECT customer FROM content ORDER BY ALL';
    expect((await query(asked, { root })).rows).toEqual([['.y'], ['_x']]);
    expect((await query(asked, { root: join(root, '_replays/again') })).rows).toEqual([['again']]);
    const none = mkdtempSync(join(scratch, 'empty-'));
    cpSync(root, join(none, '_replays'), { recursive: true });
    expect((await query(asked, { root: none })).rows).toEqual([]);
  });

  it('reads dead letters with their bytes', async () => {
    const bytes = new Uint8Array([0, 255, 10, 13]);
    const letter: DeadLetter = {
      topic: 'content',
      partition: 0,
      offset: 3,
      stage: 'decode',
      code: 'not_utf8',
      detail: 'expected UTF-8\n"x"',
      timestamp: 1.5e12,
      receivedAt: 1.6e12,
      bytes,
      key: new Uint8Array([1]),
      headers: { trace: new Uint8Array([2, 3]) },
    };
    const root = await archiveOf([{ rows: [rowOf(), rowOf(), rowOf()] }], undefined, [
      letter,
      { ...letter, offset: 4, timestamp: null, key: null, headers: null },
    ]);
    const { columns, rows } = await query(
      'SELECT *, from_base64(bytes) = \'\\x00\\xFF\\x0A\\x0D\'::BLOB AS same FROM dead_letters ORDER BY "offset"',
      { root },
    );
    const objects = rows.map((row) => Object.fromEntries(columns.map((name, i) => [name, row[i]])));
    expect(objects).toMatchObject([
      {
        offset: 3n,
        code: 'not_utf8',
        detail: letter.detail,
        timestamp: '2017-07-14T02:40:00.000Z',
        key: 'AQ==',
        headers: { trace: 'AgM=' },
        same: true,
      },
      { offset: 4n, timestamp: null, key: null, headers: null, same: true },
    ]);
  });

  it('says what is wrong in one error', async () => {
    for (const [root, word] of [
      [mkdtempSync(join(scratch, 'empty-')), 'nope'],
      ['s3://lake/moderation/', 'got a URL; query what is in S3 by Athena'],
      [join(scratch, 'nowhere'), 'expected the directory of an archive, got nothing'],
    ] as const) {
      await expect(query('SELECT nope FROM content', { root })).rejects.toMatchObject({
        name: 'InputError',
        message: expect.stringContaining(word),
      });
    }
  });
});

describe('formatRows', () => {
  const result = {
    columns: ['name', 'n', 'at'],
    rows: [
      ['a,"b"', 12n, null],
      ['日本\n\u001b[2J', 2n ** 60n, { k: [1n] }],
      ['', 3, 'x'],
    ],
  };

  it('aligns a table, without control characters', () => {
    expect(formatRows(result, 'table')).toBe(
      [
        'name                         n  at',
        '---------  -------------------  ---------',
        'a,"b"                       12',
        '日本 �[2J  1152921504606846976  {"k":[1]}',
        '                             3  x',
      ].join('\n'),
    );
  });

  it('writes JSON that reads back, and CSV that keeps null from empty', () => {
    expect(JSON.parse(formatRows(result, 'json'))).toEqual([
      { name: 'a,"b"', n: 12, at: null },
      { name: '日本\n\u001b[2J', n: '1152921504606846976', at: { k: [1] } },
      { name: '', n: 3, at: 'x' },
    ]);
    expect(formatRows({ columns: ['a'], rows: [] }, 'json')).toBe('[]');
    expect(formatRows(result, 'csv').split('\r\n')).toEqual([
      'name,n,at',
      '"a,""b""",12,',
      '"日本\n\u001b[2J",1152921504606846976,"{""k"":[1]}"',
      '"",3,x',
    ]);
  });
});

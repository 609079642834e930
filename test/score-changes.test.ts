import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createParquetReader } from '../src/ingest/index.ts';
import { summariseChanges, writeChanges } from '../src/score-changes.ts';
import { writeParquet } from './ingest/parquet-file.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'sluice-changes-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** A row as an archive with `rows: changed` has it: decided as `now`, archived as `was` before. */
const row = (n: number, customer: string, now: string, was: object) => `
  SELECT 'score-1-0-${n}' AS id, '${customer}' AS customer, 'c${n}' AS content_id, NULL::VARCHAR AS user_id, 'text' AS content,
    'post' AS content_type, 'en' AS language, TIMESTAMPTZ '2026-01-01 00:00:00.000001+00' + to_minutes(${n}) AS created_at,
    ${now}, 'new@2' AS model, 'p@2' AS policy, MAP {'archived': '${JSON.stringify(was)}', 'other': 'x'} AS metadata,
    'score-1' AS topic, 0 AS "partition", ${n}::BIGINT AS "offset"`;
const decided = (action: string, reasons: string, toxic: number) =>
  `'${action}' AS action, ${reasons}::VARCHAR[] AS reasons, {'toxic': ${toxic}::FLOAT, 'self.harm': 0.25::FLOAT} AS scores`;
const was = (n: number, action: string, reasons: string[] | null) => ({
  id: `content-3-${n}`,
  action,
  reasons,
  scores: { toxic: 0.10000000149011612, 'self.harm': 0.9 },
  model: 'old@1',
  policy: 'p@1',
});

async function archive(): Promise<void> {
  await writeParquet(
    join(root, 'x.parquet'),
    [
      row(2, 'b', decided('allow', 'NULL', 0.2), was(2, 'block', ['self.harm'])),
      row(1, 'a', decided('review', `['toxic']`, 0.7), was(1, 'review', ['self.harm'])),
      row(0, 'a', decided('block', `['toxic', 'unsupported_language']`, 0.97), was(0, 'allow', null)),
    ].join(' UNION ALL '),
  );
}

it('lists both decisions with the scores of their reasons, in order, as JSON lines', async () => {
  await archive();
  const file = join(root, '_changes.jsonl');
  await writeChanges({ root, file });
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  const [first, second, third] = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(first).toEqual({
    id: 'content-3-0',
    customer: 'a',
    content_id: 'c0',
    user_id: null,
    content_type: 'post',
    language: 'en',
    created_at: '2026-01-01T00:00:00.000001Z',
    old_action: 'allow',
    new_action: 'block',
    old_reasons: null,
    new_reasons: ['toxic', 'unsupported_language'],
    scores: expect.any(Array) as unknown[],
    old_model: 'old@1',
    new_model: 'new@2',
    old_policy: 'p@1',
    new_policy: 'p@2',
  });
  const scores = (each: typeof first) =>
    (each!['scores'] as { label: string }[]).toSorted((a, b) => (a.label < b.label ? -1 : 1));
  expect(scores(first)).toEqual([
    { label: 'toxic', old: 0.1, new: 0.97 },
    { label: 'unsupported_language', old: null, new: null },
  ]);
  // Labels of either decision; one may have a dot.
  expect(scores(second)).toEqual([
    { label: 'self.harm', old: 0.9, new: 0.25 },
    { label: 'toxic', old: 0.1, new: 0.7 },
  ]);
  expect(third).toMatchObject({ id: 'content-3-2', customer: 'b', new_reasons: null });
  expect(readdirSync(root).toSorted()).toEqual(['_changes.jsonl', 'x.parquet']);
});

it('lists them as Parquet', async () => {
  await archive();
  const file = join(root, '_changes.parquet');
  await writeChanges({ root, file });
  const reader = createParquetReader();
  const { rows, columns } = await reader.describe(file);
  reader.close();
  expect(rows).toBe(3);
  expect(columns).toContainEqual({ name: 'created_at', type: 'TIMESTAMP WITH TIME ZONE' });
  expect(columns).toContainEqual({
    name: 'scores',
    type: 'STRUCT("label" VARCHAR, "old" DOUBLE, "new" DOUBLE)[]',
  });
});

it('counts them by customer and by label', async () => {
  await archive();
  expect(await summariseChanges(root, { rows: 10, changed: 3 })).toEqual({
    rows: 10,
    changed: 3,
    customers: [
      { customer: 'a', rows: 2, changes: 'allow → block 1, review for other reasons 1' },
      { customer: 'b', rows: 1, changes: 'block → allow 1' },
    ],
    labels: [
      { label: 'self.harm', gained: 0, lost: 2 },
      { label: 'toxic', gained: 2, lost: 0 },
      { label: 'unsupported_language', gained: 1, lost: 0 },
    ],
  });
});

it('are none in an archive without any', async () => {
  const file = join(root, '_changes.jsonl');
  await writeChanges({ root, file });
  expect(readFileSync(file, 'utf8')).toBe('');
  expect(await summariseChanges(root, { rows: 10, changed: 0 })).toMatchObject({ customers: [], labels: [] });
});

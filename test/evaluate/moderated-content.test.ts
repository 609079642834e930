import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { archiveConfig, createArchive, createDirectoryStore, encodeFile } from '../../src/archive/index.ts';
import { readLabelledData } from '../../src/evaluate/labelled-data.ts';
import { parseLabelColumn } from '../../src/evaluate/truth.ts';
import { feedbackOf, scoredFeedback, type FeedbackRow } from '../archive/feedback-rows.ts';
import { rowOf, scoredOf } from '../archive/rows.ts';

const root = mkdtempSync(join(tmpdir(), 'sluice-moderated-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const day = (number: number) => Date.UTC(2026, 0, number) * 1000;
const post = (contentId: string, text: string, createdAt = day(1)) => rowOf({ contentId, text, createdAt });
let judged = 0;
const moderated = (contentId: string, values: Partial<FeedbackRow>) =>
  feedbackOf({ kind: 1, feedbackId: `mod-${judged++}`, contentId, createdAt: day(2), ...values });

beforeAll(async () => {
  const archive = createArchive({
    config: archiveConfig.parse({ store: { type: 'directory', path: root } }),
    store: createDirectoryStore({ path: root }),
    encode: encodeFile,
    commit: () => Promise.resolve(),
  });
  await archive.recover({ token: 1, partitions: [], transactions: new Set() });
  const content = [
    post('bad', 'first version'),
    post('bad', 'you fool', day(1) + 5),
    post('fine', 'hello there'),
    post('changed', 'a mistake'),
    post('unclear', 'hm'),
    post('by rule', 'pills'),
    post('flagged', 'only a user flagged it'),
    rowOf({ customer: 'globex', contentId: 'fine', text: "another customer's" }),
  ];
  const feedback = [
    moderated('bad', { action: 'content_removed', reasons: ['toxic', 'rude'] }),
    moderated('fine', { action: 'Approved' }),
    moderated('changed', { action: 'content_removed', reasons: ['toxic'] }),
    moderated('changed', { action: 'restore', createdAt: day(3) }),
    moderated('unclear', { action: 'user_warned' }),
    moderated('by rule', { action: 'content_removed', reasons: ['spam'], automated: true }),
    moderated('never archived', { action: 'content_removed', reasons: ['spam'] }),
    feedbackOf({ contentId: 'flagged', reasons: ['spam'] }),
  ];
  archive.add(scoredOf({ rows: content }), 1);
  archive.add(scoredFeedback({ rows: feedback }), 1);
  await archive.flush('end');
  await archive.close();
});

const read = async (options: object = {}) => {
  const harmless = ['approved', 'restore'];
  const data = await readLabelledData({ paths: [root], labels: ['toxic', 'spam'], harmless, ...options });
  const [texts, toxic] = [data.text, data.truth.get('toxic')];
  return { rows: Object.fromEntries(texts.map((text, row) => [text, toxic?.[row]])), data };
};

describe('content that moderators judged', () => {
  it('is its newest version with the newest judgement of a person', async () => {
    const { rows, data } = await read();
    expect(rows).toEqual({ 'you fool': 1, 'hello there': 0, 'a mistake': 0, hm: NaN });
    // No person ever gave it as a reason.
    expect([...data.truth.keys()]).toEqual(['toxic']);
    expect(new Set(data.customer)).toEqual(new Set(['acme']));
    expect(new Set(data.language)).toEqual(new Set(['en']));
  });

  it('is that of a time', async () => {
    expect((await read({ to: '2026-01-03' })).rows).toEqual({
      'you fool': 1,
      'hello there': 0,
      'a mistake': 1,
      hm: NaN,
    });
    expect(Object.keys((await read({ from: '2026-01-03' })).rows)).toEqual(['a mistake']);
  });

  it('has labels by the words of the moderators', async () => {
    const columns = [parseLabelColumn('toxic=action:content_removed|user_warned')];
    expect((await read({ columns })).rows).toEqual({
      'you fool': 1,
      'hello there': 0,
      'a mistake': 0,
      hm: 1,
    });
    const spam = await read({ labels: ['spam'], columns: [parseLabelColumn('spam=reasons:rude')] });
    expect(spam.data.truth.get('spam')![spam.data.text.indexOf('you fool')]).toBe(1);
  });
});

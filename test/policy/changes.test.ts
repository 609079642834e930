import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createChanges, reasonOf, type Compared } from '../../src/policy/changes.ts';
import { changesJson, describeChanges } from '../../src/policy/describe-changes.ts';
import { ACTIONS } from '../../src/types.ts';

const row = (change: Partial<Compared>): Compared => ({
  contentId: 'post-1',
  customer: 'acme',
  language: 'en',
  before: 'allow',
  after: 'allow',
  reasonsBefore: null,
  reasonsAfter: null,
  ...change,
});

const ROWS = [
  row({}),
  row({ after: 'block', reasonsAfter: ['toxic', 'hate'], score: 0.91239 }),
  row({ contentId: 'post-2', before: 'block', reasonsBefore: ['spam'], language: null }),
  row({
    customer: 'globex',
    before: 'review',
    after: 'review',
    reasonsBefore: ['hate'],
    reasonsAfter: ['toxic'],
  }),
  row({ before: 'review', after: 'review', reasonsBefore: ['a', 'b'], reasonsAfter: ['b', 'a'] }),
  row({ contentId: 'post-3', after: 'block', reasonsAfter: ['toxic'], score: NaN }),
];

function changesOf(rows: readonly Compared[], examples = 1) {
  const changes = createChanges({ examples });
  for (const each of rows) changes.add(each);
  return changes.result();
}

describe('createChanges', () => {
  it('counts by kind, customer, label and language, and keeps examples', () => {
    const changes = changesOf(ROWS);
    expect(changes).toMatchObject({ rows: 6, changed: 3, stricter: 2, milder: 1, otherReasons: 1 });
    expect(changes.kinds).toEqual({ 'allow→block': 2, 'block→allow': 1 });
    expect(Object.fromEntries(changes.customers)).toEqual({
      acme: { rows: 5, changed: 3, stricter: 2, milder: 1 },
      globex: { rows: 1, changed: 0, stricter: 0, milder: 0 },
    });
    expect(Object.fromEntries(changes.labels)).toMatchObject({
      toxic: { rows: 3, changed: 2, stricter: 2, milder: 0 },
      hate: { rows: 2, changed: 0 },
      spam: { rows: 1, changed: 1, milder: 1 },
    });
    expect(changes.languages.get('und')).toEqual({ rows: 1, changed: 1, stricter: 0, milder: 1 });
    expect(changes.examples).toEqual([
      {
        content_id: 'post-1',
        customer: 'acme',
        language: 'en',
        before: 'allow',
        after: 'block',
        reason: 'toxic',
        score: 0.9124,
      },
      {
        content_id: 'post-2',
        customer: 'acme',
        language: null,
        before: 'block',
        after: 'allow',
        reason: 'spam',
        score: null,
      },
    ]);
  });

  it('counts every row once in each table, for any rows', () => {
    const action = fc.constantFrom(...ACTIONS);
    const reasons = fc.option(fc.subarray(['a', 'b', 'c'], { minLength: 1 }));
    const any = fc
      .tuple(action, action, reasons, reasons, fc.constantFrom('x', 'y'), fc.constantFrom('en', null))
      .map(([before, after, reasonsBefore, reasonsAfter, customer, language]) =>
        row({ before, after, reasonsBefore, reasonsAfter, customer, language }),
      );
    fc.assert(
      fc.property(fc.array(any), (rows) => {
        const changes = changesOf(rows, 2);
        for (const table of [changes.customers, changes.languages]) {
          const sum = (of: 'rows' | 'changed' | 'stricter' | 'milder') =>
            [...table.values()].reduce((total, counts) => total + counts[of], 0);
          for (const of of ['rows', 'changed', 'stricter', 'milder'] as const)
            expect(sum(of)).toBe(changes[of]);
        }
        expect(changes.changed).toBe(rows.filter(({ before, after }) => before !== after).length);
        expect(Object.values(changes.kinds).reduce((sum, count) => sum + count, 0)).toBe(changes.changed);
        expect(changes.examples.length).toBeLessThanOrEqual(2 * Object.keys(changes.kinds).length);
      }),
    );
  });
});

describe('reasonOf', () => {
  it('is the first reason of the severer decision', () => {
    expect(reasonOf(ROWS[1]!)).toBe('toxic');
    expect(reasonOf(ROWS[2]!)).toBe('spam');
    expect(reasonOf(ROWS[0]!)).toBeNull();
  });
});

describe('describeChanges', () => {
  it('says totals, tables and examples', () => {
    const text = describeChanges(changesOf(ROWS), 'archived');
    expect(text.split('\n\n')[0]).toBe(
      '6 rows: 3 would change (50.00 %), 2 to a stricter action, 1 to a milder one; against archived',
    );
    expect(text).toContain('1 keep their action for other reasons');
    expect(text).toMatch(/^allow→block +2 +33\.33 %$/m);
    expect(text).toMatch(/^acme +5 +3 +60\.00 % +2 +1$/m);
    expect(text).toMatch(/^allow→block +post-1 +acme +en +toxic +0\.9124$/m);
  });

  it('is one line when nothing changes', () => {
    expect(describeChanges(changesOf([row({})]), 'old.yaml')).toBe(
      '1 rows: 0 would change (0.00 %), 0 to a stricter action, 0 to a milder one; against old.yaml',
    );
  });

  it('has the same as JSON', () => {
    expect(JSON.parse(changesJson(changesOf(ROWS), 'archived'))).toMatchObject({
      against: 'archived',
      rows: 6,
      changed: 3,
      share: 0.5,
      other_reasons: 1,
      kinds: { 'allow→block': 2 },
      labels: { spam: { milder: 1 } },
    });
  });
});

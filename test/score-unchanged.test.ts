import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { unchangedRows } from '../src/score-unchanged.ts';
import { ACTIONS, type DecodedBatch, type VerdictBatch } from '../src/types.ts';

interface Row {
  readonly metadata: string[] | null;
  readonly action: (typeof ACTIONS)[number];
  readonly reasons: string[] | null;
}

function unchanged(rows: readonly Row[], poison: readonly number[] = []): number[] {
  const decoded = { rows: rows.length, metadata: rows.map(({ metadata }) => metadata) };
  const verdicts = {
    actions: Uint8Array.from(rows, ({ action }) => ACTIONS.indexOf(action)),
    reasons: rows.map(({ reasons }) => reasons),
    poison: poison.map((row) => ({ row, detail: '' })),
  };
  return unchangedRows(decoded as unknown as DecodedBatch, verdicts as unknown as VerdictBatch);
}

const archived = (action: string, reasons: string[] | null) => [
  'other',
  'x',
  'archived',
  JSON.stringify({ id: 't-0-1', action, reasons }),
];

describe('unchanged rows', () => {
  it('have the same action and, where it is not allow, the same labels in any order', () => {
    const rows: Row[] = [
      { metadata: archived('allow', null), action: 'allow', reasons: null },
      { metadata: archived('allow', ['unsupported_language']), action: 'allow', reasons: null },
      { metadata: archived('review', ['toxic', 'spam']), action: 'review', reasons: ['spam', 'toxic'] },
      { metadata: archived('review', ['toxic', 'spam']), action: 'review', reasons: ['toxic'] },
      { metadata: archived('review', ['toxic']), action: 'block', reasons: ['toxic'] },
      { metadata: archived('block', ['toxic']), action: 'allow', reasons: null },
    ];
    expect(unchanged(rows)).toEqual([0, 1, 2]);
  });

  it('are none that carry no archived decision, or that are poisoned', () => {
    const row = (metadata: string[] | null): Row => ({ metadata, action: 'allow', reasons: null });
    const strange = ['null', '{}', '[]', '7', '{"action":1}', 'not json'].map((text) =>
      row(['archived', text]),
    );
    expect(unchanged([row(null), row([]), row(['action', 'allow']), ...strange])).toEqual([]);
    expect(unchanged([row(archived('allow', null)), row(archived('allow', null))], [1])).toEqual([0]);
  });

  it('are exactly those that were decided alike, whatever was decided', () => {
    const decision = fc.record({
      action: fc.constantFrom(...ACTIONS),
      reasons: fc.option(fc.uniqueArray(fc.constantFrom('a', 'b', 'c'), { minLength: 1 })),
    });
    fc.assert(
      fc.property(fc.array(fc.tuple(decision, decision)), (pairs) => {
        const rows = pairs.map(([was, now]) => ({ metadata: archived(was.action, was.reasons), ...now }));
        const sorted = (reasons: readonly string[] | null) => JSON.stringify([...(reasons ?? [])].sort());
        const expected = pairs.flatMap(([was, now], row) =>
          was.action === now.action && (was.action === 'allow' || sorted(was.reasons) === sorted(now.reasons))
            ? row
            : [],
        );
        expect(unchanged(rows)).toEqual(expected);
      }),
    );
  });
});

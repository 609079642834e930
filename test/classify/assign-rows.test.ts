import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createAssignment,
  rowsOf,
  type AssignableRows,
  type AssignedModel,
} from '../../src/classify/assign-rows.ts';
import { stickyPlace } from '../../src/classify/sticky-share.ts';

const model = (values: Partial<AssignedModel> & { name: string }): AssignedModel => ({
  role: 'decide',
  labels: ['toxic'],
  languages: undefined,
  share: 1,
  judges: true,
  ...values,
});

const rowsIn = (language: (string | null)[], values: Partial<AssignableRows> = {}): AssignableRows => ({
  rows: language.length,
  language,
  customer: language.map(() => 'acme'),
  userId: language.map((_, i) => `user-${i}`),
  contentId: language.map((_, i) => `post-${i}`),
  ...values,
});

/** Names of the models that take each row. */
function taken(models: AssignedModel[], rows: AssignableRows): string[][] {
  const assignment = createAssignment(models)(rows);
  const of = models.map((_, i) => rowsOf(assignment, i));
  return Array.from({ length: rows.rows }, (_, row) =>
    models.filter((__, i) => of[i] === null || of[i]!.includes(row)).map(({ name }) => name),
  );
}

describe('createAssignment', () => {
  const german = model({ name: 'german', languages: new Set(['de']) });
  const rest = model({ name: 'rest' });
  const sentiment = model({ name: 'sentiment', labels: ['negative'], judges: false });

  it('routes by language, with a fallback, beside a model with other labels', () => {
    expect(taken([german, rest, sentiment], rowsIn(['de', 'en', 'de-CH', null, 'den']))).toEqual([
      ['german', 'sentiment'],
      ['rest', 'sentiment'],
      ['german', 'sentiment'],
      ['rest', 'sentiment'],
      ['rest', 'sentiment'],
    ]);
  });

  it('gives no arrays where all rows go the same way', () => {
    expect(createAssignment([rest, sentiment])(rowsIn(['de', null]))).toEqual({ common: 0b11 });
    expect(createAssignment([german, rest])(rowsIn(['de', 'de-AT']))).toEqual({ common: 0b01 });
    expect(createAssignment([german, rest])(rowsIn([]))).toEqual({ common: 0 });
  });

  it('takes nothing away by a shadow', () => {
    const shadow = model({ name: 'next', role: 'shadow' });
    expect(taken([shadow, german, rest], rowsIn(['de', 'en']))).toEqual([
      ['next', 'german'],
      ['next', 'rest'],
    ]);
  });

  it('calls a known language unsupported that no acting model takes, and nothing else', () => {
    const latin = model({ name: 'latin', languages: new Set(['en', 'de', 'und']) });
    const languages = ['en', 'sw', null, 'und', 'sw'];
    const guessed = Uint8Array.from([0, 0, 0, 0, 1]);
    for (const models of [[latin], [latin, sentiment]]) {
      const { unsupported } = createAssignment(models)(rowsIn(languages, { guessed }));
      expect([...unsupported!]).toEqual([0, 1, 0, 0, 0]);
    }
    expect(taken([latin, sentiment], rowsIn(languages, { guessed }))).toEqual([
      ['latin', 'sentiment'],
      ['sentiment'],
      ['latin', 'sentiment'],
      ['latin', 'sentiment'],
      ['latin', 'sentiment'],
    ]);
    const rare = model({ name: 'rare', share: 0, languages: new Set(['sw']) });
    // A canary that knows one language more: for whom it does not take, that language is as unsupported as before.
    expect(createAssignment([rare, latin])(rowsIn(['sw', 'en'])).unsupported).toEqual(Uint8Array.of(1, 0));
    expect(taken([rare, latin], rowsIn(['sw'], { guessed: Uint8Array.of(1) }))).toEqual([['latin']]);
    expect(createAssignment([latin, rest])(rowsIn(['sw'])).unsupported).toBeUndefined();
  });

  it('gives every row to exactly the models that the rule says', () => {
    const arbitrary: fc.Arbitrary<AssignedModel[]> = fc
      .array(
        fc.record({
          role: fc.constantFrom('decide' as const, 'decide' as const, 'shadow' as const),
          labels: fc.subarray(['a', 'b', 'c', 'd'], { minLength: 1 }),
          languages: fc.option(
            fc.subarray(['de', 'en', 'zh-hant', 'und'], { minLength: 1 }).map((tags) => new Set(tags)),
            { nil: undefined },
          ),
          share: fc.constantFrom(1, 0.5, 0.05, 0),
          judges: fc.boolean(),
        }),
        { minLength: 1, maxLength: 6 },
      )
      .map((models) =>
        // One decides at least; check-models.ts refuses others.
        models.map((each, i) => ({ ...each, name: `m${i}`, role: i === 0 ? 'decide' : each.role })),
      );
    const languages = fc.array(fc.constantFrom('de', 'DE_at', 'en-GB', 'zh', 'zh-Hant-TW', 'sw', null), {
      maxLength: 30,
    });
    fc.assert(
      fc.property(arbitrary, languages, (models, tags) => {
        const rows = rowsIn(tags, { userId: tags.map((_, i) => (i % 3 === 0 ? null : `u${i % 7}`)) });
        const found = taken(models, rows);
        const deciding = models.filter(({ role }) => role === 'decide');
        const acting = deciding.some(({ judges }) => judges)
          ? deciding.filter(({ judges }) => judges)
          : deciding;
        const { unsupported } = createAssignment(models)(rows);
        for (const [row, tag] of tags.entries()) {
          const who = rows.userId[row] ?? rows.contentId[row]!;
          const speaks = ({ languages: own }: AssignedModel) => {
            const parts = (tag ?? 'und').toLowerCase().replace('_', '-').split('-');
            return !own || parts.some((_, i) => own.has(parts.slice(0, i + 1).join('-')));
          };
          const takes = (each: AssignedModel) =>
            speaks(each) && stickyPlace(each.name, 'acme', who) < each.share;
          const expected: AssignedModel[] = [];
          for (const each of models) {
            const before = expected.filter(({ role }) => role === 'decide').flatMap(({ labels }) => labels);
            const kept = each.role === 'decide' && each.labels.some((label) => before.includes(label));
            if (takes(each) && !kept) expected.push(each);
          }
          expect(found[row]).toEqual(expected.map(({ name }) => name));
          const supported = tag === null || acting.some((each) => takes(each));
          expect([tag, unsupported?.[row] ?? 0]).toEqual([tag, supported ? 0 : 1]);
        }
      }),
    );
  });
});

describe('a share', () => {
  const KEYS = 100_000;
  const candidate = (share: number) => model({ name: 'candidate', share });
  const rest = model({ name: 'rest' });
  const rows = rowsIn(
    Array.from({ length: KEYS }, () => null),
    {
      customer: Array.from({ length: KEYS }, (_, i) => `customer-${i % 50}`),
    },
  );
  const membersOf = (share: number) => rowsOf(createAssignment([candidate(share), rest])(rows), 0)!;

  it.each([0.01, 0.05, 0.2, 0.5, 0.9])('of %d is as large as asked within 1 %% of all keys', (share) => {
    const part = membersOf(share).length / KEYS;
    expect(Math.abs(part - share)).toBeLessThan(0.01);
    // Five standard deviations of a fair draw.
    expect(Math.abs(part - share)).toBeLessThan(5 * Math.sqrt((share * (1 - share)) / KEYS));
  });

  it('only adds when it grows', () => {
    const larger = new Set(membersOf(0.2));
    for (const shares of [0.01, 0.05, 0.1])
      expect(membersOf(shares).every((row) => larger.has(row))).toBe(true);
    expect(createAssignment([candidate(0), rest])(rows)).toEqual({ common: 0b10 });
  });

  it('falls on the same side for a user of a customer, else for the content', () => {
    const twice = rowsIn(['de', 'en', null, null], {
      customer: ['a', 'a', 'a', 'b'],
      userId: ['u', 'u', null, 'u'],
      contentId: ['1', '2', '3', '4'],
    });
    for (let i = 0; i < 50; i++) {
      const [first, second] = taken([model({ name: `m${i}`, share: 0.5 }), rest], twice);
      expect(first).toEqual(second);
    }
    expect(stickyPlace('m', 'ab', 'c')).not.toBe(stickyPlace('m', 'a', 'bc'));
    expect(stickyPlace('m', 'a', 'u')).not.toBe(stickyPlace('n', 'a', 'u'));
  });

  it('is drawn anew for each model, so that two canaries of 50 % leave a quarter', () => {
    const other = model({ name: 'other', share: 0.5 });
    const left = rowsOf(createAssignment([candidate(0.5), other, rest])(rows), 2)!.length / KEYS;
    expect(Math.abs(left - 0.25)).toBeLessThan(0.01);
  });
});

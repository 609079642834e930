import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MisconfiguredError } from '../../src/errors.ts';
import { createLetterFilter, type FilterFlags } from '../../src/redrive/filter.ts';
import { idOf } from '../../src/redrive/letter.ts';
import { anyLetter, letterAt } from './letters.ts';

const wants = (flags: FilterFlags, letter = letterAt(5), customer?: string) =>
  createLetterFilter(flags, () => customer).wants(letter);

describe('redrive filter', () => {
  it('wants everything without flags', () => {
    fc.assert(fc.property(anyLetter, (letter) => wants({}, letter)));
  });

  it('wants a letter by what it is, and nothing when one flag does not fit', () => {
    fc.assert(
      fc.property(anyLetter, fc.nat(6), (letter, which) => {
        const received = new Date(letter.receivedAt).toISOString();
        const fitting: FilterFlags = {
          stage: letter.stage,
          code: letter.code,
          topic: letter.topic,
          partition: letter.partition,
          offsets: `${letter.offset}-${letter.offset + 3}`,
          since: received,
          until: new Date(letter.receivedAt + 1).toISOString(),
          customer: 'acme',
          id: ['x-0-0', idOf(letter)],
        };
        expect(wants(fitting, letter, 'acme')).toBe(true);
        const wrong: FilterFlags[] = [
          { code: 'another' },
          { topic: 'another' },
          { partition: 4 },
          { offsets: String(letter.offset + 1) },
          { since: new Date(letter.receivedAt + 1).toISOString(), until: '2200-01-01' },
          { customer: 'Acme' },
          { id: ['x-0-0'] },
        ];
        expect(wants({ ...fitting, ...wrong[which] }, letter, 'acme')).toBe(false);
      }),
    );
  });

  it('takes offsets with both ends, the end of a time without', () => {
    const offsets = [4, 5, 6, 7].filter((offset) => wants({ offsets: '5-6' }, letterAt(offset)));
    expect(offsets).toEqual([5, 6]);
    expect(wants({ until: '2026-03-02T10:00:01Z' })).toBe(false);
    expect(wants({ since: '2026-03-02T10:00:01Z' })).toBe(true);
    expect(createLetterFilter({ since: '2026-03-02' }, () => undefined).received).toEqual({
      since: Date.UTC(2026, 2, 2),
      until: Infinity,
    });
  });

  it('finds text in bytes, and the sink that refused', () => {
    expect(wants({ grep: 'brok' })).toBe(true);
    expect(wants({ grep: 'Brok' })).toBe(false);
    const refused = letterAt(5, { stage: 'deliver', headers: { 'sluice-sink': Buffer.from('hooks') } });
    expect(wants({ sink: 'hooks' }, refused)).toBe(true);
    expect(wants({ sink: 'scores' }, refused)).toBe(false);
    // A producer's own header of that name means nothing.
    expect(wants({ sink: 'hooks' }, { ...refused, stage: 'decode' })).toBe(false);
  });

  it('says which flag is wrong', () => {
    expect(() => wants({ offsets: '7-5' })).toThrow('--offsets: expected first-last');
    expect(() => wants({ since: 'yesterday' })).toThrow('--since: expected a date');
    expect(() => wants({ since: '2026-03-02', until: '2026-03-01' })).toThrow(MisconfiguredError);
  });
});

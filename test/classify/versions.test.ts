import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { namesVersion, newestFirst } from '../../src/classify/versions.ts';

describe('newestFirst', () => {
  it('orders by meaning, not by letter', () => {
    expect(newestFirst(['1.9.0', '1.10.0', 'v1.2', '2'])).toEqual(['2', '1.10.0', '1.9.0', 'v1.2']);
  });

  it('takes nothing but a release for the newest, where there is one', () => {
    expect(newestFirst(['2.0.0-rc.1', '1.0.0', 'nightly', '2.0.0-rc.10'])).toEqual([
      '1.0.0',
      '2.0.0-rc.10',
      '2.0.0-rc.1',
      'nightly',
    ]);
  });

  it('orders other names by name', () => {
    expect(newestFirst(['2026-01-31', '2026-11-02', '2025-12-31'])).toEqual([
      '2026-11-02',
      '2026-01-31',
      '2025-12-31',
    ]);
  });

  it('agrees with the numbers of any versions, in any order, and loses none', () => {
    const version = fc.tuple(fc.nat(30), fc.nat(30), fc.nat(30));
    fc.assert(
      fc.property(fc.uniqueArray(version, { selector: (parts) => parts.join('.') }), (versions) => {
        const names = newestFirst(versions.map((parts) => parts.join('.')));
        const rank = (name: string) => name.split('.').reduce((sum, part) => sum * 100 + Number(part), 0);
        expect(names.map(rank)).toEqual(
          versions.map((parts) => rank(parts.join('.'))).toSorted((a, b) => b - a),
        );
      }),
    );
  });

  it('is the same whatever the order it was asked in', () => {
    const name = fc.oneof(
      fc.string({ maxLength: 8 }),
      fc.constantFrom('1', '1.0', '1.0.0', 'v1', '1.0.0-a', '1.0.0+b', '01.2'),
    );
    fc.assert(
      fc.property(fc.uniqueArray(name), fc.integer(), (names, seed) => {
        const shuffled = names.toSorted((a, b) => ((a.length * 7 + seed) % 5) - ((b.length * 7 + seed) % 5));
        expect(newestFirst(shuffled)).toEqual(newestFirst(names));
      }),
    );
  });
});

it('a version may be asked for with or without its v', () => {
  expect(namesVersion('1.2.0', '1.2.0')).toBe(true);
  expect(namesVersion('v1.2.0', '1.2.0')).toBe(true);
  expect(namesVersion('1.2.0', 'v1.2.0')).toBe(true);
  expect(namesVersion('1.2.0', '1.2')).toBe(false);
});

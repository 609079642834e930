import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseTimestamp } from '../../src/ingest/timestamp.ts';

const noon = Date.UTC(2026, 2, 1, 12) * 1000;

describe('parseTimestamp', () => {
  it.each([
    ['2026-03-01', noon - 12 * 3600e6],
    ['2026-03-01T12:00', noon],
    ['2026-03-01T12:00:00', noon],
    ['2026-03-01 12:00:00', noon],
    ['2026-03-01t12:00:00z', noon],
    ['2026-03-01T12:00:00Z', noon],
    ['2026-03-01T14:00:00+02:00', noon],
    ['2026-03-01T06:30:00-0530', noon],
    ['2026-03-01T13:00:00+01', noon],
    ['2026-03-01T12:00:00.5Z', noon + 500_000],
    ['2026-03-01T12:00:00,25Z', noon + 250_000],
    ['2026-03-01T12:00:00.123456789+00:00', noon + 123_456],
    ['2026-03-01T11:59:60Z', noon],
    ['2024-02-29', Date.UTC(2024, 1, 29) * 1000],
    ['1970-01-01T00:00:00Z', 0],
    [noon / 1e6, noon],
    [noon / 1e3, noon],
    [noon, noon],
    [noon * 1000, noon],
    [1772366400.123456, noon + 123_456],
    ['1772366400', noon],
    ['1772366400.25', noon + 250_000],
    ['1772366400000', noon],
    ['1772366400123456', noon + 123_456],
    ['1772366400123456789', noon + 123_456],
    [0, 0],
  ])('%s', (value, expected) => {
    expect(parseTimestamp(value)).toBe(expected);
  });

  it.each([
    '',
    'yesterday',
    '2026-13-01',
    '2026-02-29',
    '2100-02-29',
    '2026-00-10',
    '2026-03-01T24:00:00Z',
    '2026-03-01T12:60:00Z',
    '2026-03-01T12:00:61Z',
    '2026-03-01T12:00:00.Z',
    '2026-03-01T12:00:00 UTC',
    '2026-03-01T12:00:00+25:00',
    '2026-03-01T',
    '2026-03-01T12',
    '1969-12-31T23:59:59Z',
    '1970-01-01T00:00:00+01:00',
    '-5',
    '12e9',
    '99999999999999999999',
    -1,
    NaN,
    Infinity,
    true,
    null,
    {},
  ])('is NaN for %j', (value) => {
    expect(parseTimestamp(value)).toBeNaN();
  });

  it('agrees with Date on every instant, in every zone', () => {
    const millis = fc.integer({ min: 0, max: Date.UTC(2255, 0) });
    const offset = fc.integer({ min: -14 * 60, max: 14 * 60 });
    fc.assert(
      fc.property(millis, offset, fc.integer({ min: 0, max: 999 }), (instant, minutes, micros) => {
        const local = new Date(instant + minutes * 60_000).toISOString().slice(0, -1);
        fc.pre(local.length === 23);
        const sign = minutes < 0 ? '-' : '+';
        const two = (value: number) => String(value).padStart(2, '0');
        const zone = `${sign}${two(Math.floor(Math.abs(minutes) / 60))}:${two(Math.abs(minutes) % 60)}`;
        const text = `${local}${String(micros).padStart(3, '0')}${zone}`;
        const expected =
          local.startsWith('19') && Number(local.slice(0, 4)) < 1970 ? NaN : instant * 1000 + micros;
        expect(parseTimestamp(text)).toBe(expected);
      }),
    );
  });

  it('is a whole number or NaN for any text, and never throws', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9T:.Z+ -]{1,30}$/), fc.double()), (value) => {
        const micros = parseTimestamp(value);
        expect(Number.isNaN(micros) || (Number.isInteger(micros) && micros >= 0)).toBe(true);
      }),
    );
  });
});

import { posix, win32 } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dayOf, encodeValue, HIVE_NULL, hourOf, shardPath } from '../../src/archive/shard.ts';

const HOSTILE = [
  '',
  '.',
  '..',
  '../x',
  'a/b',
  'a\\b',
  '/etc/passwd',
  'customer=b',
  'a\0b',
  '\u001b[2J',
  'x'.repeat(10_000),
  'é'.repeat(200),
  '\ud800',
  '\udfff',
  'a\ud800',
  '\ufffd',
  'CON',
  'nul',
  'COM1.txt',
  'a.',
  'a',
  'a%2E',
  '%2e%2e',
  '日本語',
  '👩‍👩‍👧',
  'é',
  'e\u0301',
  '~',
  ' ',
  'a ',
  'a+b',
  HIVE_NULL,
  '_sluice',
  '_dead_letters',
  '__proto__',
];
const anyString = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc
    .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 40 })
    .map((codes) => String.fromCharCode(...codes)),
  fc
    .array(fc.constantFrom('.', '/', '\\', '%', '~', '=', 'a', 'A', '2', 'E', '\0', '_'), { maxLength: 8 })
    .map((parts) => parts.join('')),
  fc.constantFrom(...HOSTILE),
);
const day = '2026-01-31';

describe('shardPath', () => {
  it('reads as hive partitions', () => {
    expect(shardPath({ customer: 'acme-1', day }, ['customer', 'day'])).toBe(
      'customer=acme-1/dt=2026-01-31/',
    );
    expect(shardPath({ customer: 'a b', day: `${day}/07` }, ['day', 'hour', 'customer'])).toBe(
      'dt=2026-01-31/hour=07/customer=a%20b/',
    );
    expect(shardPath({ customer: 'a', day: '' }, [])).toBe('');
  });

  it('stays below its prefix, in segments that every file system takes', () => {
    fc.assert(
      fc.property(anyString, (customer) => {
        const path = shardPath({ customer, day }, ['customer', 'day']);
        const segments = path.split('/');
        expect(segments).toHaveLength(3);
        expect(path).toMatch(/^customer=[A-Za-z0-9._%~-]*\/dt=2026-01-31\/$/);
        for (const segment of segments) expect(Buffer.byteLength(segment)).toBeLessThanOrEqual(255);
        for (const system of [posix, win32]) {
          expect(system.normalize(path)).toBe(path.replaceAll('/', system.sep));
        }
        expect(segments[0]).not.toMatch(/[. ]$/);
      }),
      { numRuns: 500 },
    );
  });

  it('gives different customers different paths', () => {
    expect(new Set(HOSTILE.map(encodeValue)).size).toBe(HOSTILE.length);
    fc.assert(
      fc.property(anyString, anyString, (one, other) => {
        expect(encodeValue(one) === encodeValue(other)).toBe(one === other);
      }),
      { numRuns: 5000 },
    );
  });

  it('is decoded to the customer, unless a hash stands for it', () => {
    fc.assert(
      fc.property(anyString, (customer) => {
        const encoded = encodeValue(customer);
        if (encoded.includes('~')) {
          expect(
            encodeURIComponent(customer.toWellFormed()).length > 150 ||
              !customer.isWellFormed() ||
              customer === HIVE_NULL,
          ).toBe(true);
        } else {
          expect(decodeURIComponent(encoded)).toBe(customer);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('the day of an event', () => {
  it('is that of UTC, before 1970 as well', () => {
    fc.assert(
      fc.property(
        fc.date({
          min: new Date('0001-01-01T00:00:00Z'),
          max: new Date('9999-12-31T23:59:59.999Z'),
          noInvalidDate: true,
        }),
        (date) => {
          const hour = hourOf(date.getTime() * 1000);
          expect(dayOf(hour, ['day'])).toBe(date.toISOString().slice(0, 10));
          expect(dayOf(hour, ['day', 'hour'])).toBe(date.toISOString().slice(0, 13).replace('T', '/'));
          expect(dayOf(hour, ['customer'])).toBe('');
        },
      ),
    );
  });

  it('is none for times that no calendar has', () => {
    for (const time of [NaN, Infinity, -Infinity, 1e18, -1e18]) {
      expect(dayOf(hourOf(time), ['day', 'hour'])).toBe(HIVE_NULL);
    }
    expect(shardPath({ customer: 'a', day: HIVE_NULL }, ['day', 'hour'])).toBe(
      `dt=${HIVE_NULL}/hour=${HIVE_NULL}/`,
    );
  });
});

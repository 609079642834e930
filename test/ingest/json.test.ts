import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  INFINITE,
  inspect,
  isObject,
  mayLoseDigits,
  parseExact,
  rawNumber,
  TOO_DEEP,
} from '../../src/ingest/json.ts';

function check(text: string): boolean {
  // Bytes around it must not matter.
  const bytes = Buffer.from(`12345678901234567890${text}12345678901234567890`);
  return mayLoseDigits(bytes, 20, bytes.length - 20);
}

describe('parseExact', () => {
  it('keeps every digit, wherever a number stands', () => {
    const text = '{"a":12345678901234567890,"b":[0.10000000000000000001,-9007199254740993],"c":{"d":1e400}}';
    expect(JSON.stringify(parseExact(text))).toBe(text);
  });

  it('leaves numbers that JavaScript holds as numbers', () => {
    expect(parseExact('[1,-2.5,9007199254740991]')).toEqual([1, -2.5, 9007199254740991]);
  });

  it('a kept number is no object', () => {
    const value = parseExact('12345678901234567890');
    expect(rawNumber(value)).toBe('12345678901234567890');
    expect(isObject(value)).toBe(false);
  });
});

describe('mayLoseDigits', () => {
  it.each([
    '{"id":12345678901234567890}',
    '[9007199254740993]',
    '-9007199254740993',
    '{"a": 0.1234567890123456789}',
  ])('sees the number in %s', (text) => expect(check(text)).toBe(true));

  it.each(['{"id":"12345678901234567890"}', '{"at":1772366400123456}', '{"a":123456789012345}', '{}', ''])(
    'sees none in %s',
    (text) => expect(check(text)).toBe(false),
  );

  it('misses no number that JSON.parse would change, at any place', () => {
    const digits = fc.stringMatching(/^[1-9][0-9]{0,24}$/);
    const fraction = fc.oneof(fc.constant(''), fc.stringMatching(/^\.[0-9]{1,20}$/));
    fc.assert(
      fc.property(fc.string(), fc.boolean(), digits, fraction, (before, negative, whole, rest) => {
        const number = `${negative ? '-' : ''}${whole}${rest}`;
        const text = `{"before":${JSON.stringify(before)},"x":[${number}]}`;
        const significant = number.replace(/[-.]/g, '').replace(/^0+|0+$/g, '').length;
        if (significant > 15 && !sameNumber(number)) expect(check(text)).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });
});

/** Whether a double holds exactly these digits. */
function sameNumber(text: string): boolean {
  return text === String(Number(text));
}

describe('inspect', () => {
  it('finds what is too deep, also beside infinite numbers', () => {
    expect(inspect([[[]]], 3)).toBeNull();
    expect(inspect([[[]]], 2)).toBe(TOO_DEEP);
    expect(inspect({ a: Infinity, b: { c: { d: [] } } }, 3)).toBe(TOO_DEEP);
    expect(inspect({ a: [1, -Infinity] }, 3)).toBe(INFINITE);
    expect(inspect(JSON.parse('['.repeat(100_000) + ']'.repeat(100_000)), 256)).toBe(TOO_DEEP);
  });
});

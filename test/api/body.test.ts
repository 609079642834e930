import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { depthOf, MAX_DEPTH, readBody } from '../../src/api/body.ts';
import { HttpRefusal } from '../../src/api/http-refusal.ts';

const read = (text: string | Uint8Array) =>
  readBody(typeof text === 'string' ? new TextEncoder().encode(text) : text);

function depth(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depth));
}

describe('body', () => {
  it('reads any object as JSON.parse does, and knows its depth', () => {
    const object = fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue({ maxDepth: 3 }));
    fc.assert(
      fc.property(object, fc.constantFrom(undefined, 2), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        expect(JSON.stringify(read(text))).toBe(JSON.stringify(JSON.parse(text)));
        expect(depthOf(text)).toBe(depth(JSON.parse(text)));
      }),
    );
  });

  it('keeps every digit of a number', () => {
    const text = '{"id":12345678901234567890,"price":1.10,"far":1e999,"list":[0.1000000000000000055]}';
    expect(JSON.stringify(read(text))).toBe(text);
  });

  it('keeps names that objects inherit', () => {
    const text = '{"__proto__":{"a":1},"constructor":2}';
    expect(JSON.stringify(read(text))).toBe(text);
    expect(Object.getPrototypeOf(read(text))).toBe(Object.prototype);
  });

  it.each([
    ['nothing', '', 'not JSON'],
    ['half an object', '{"a":', 'not JSON'],
    ['two objects', '{}{}', 'not JSON'],
    ['a list', '[]', 'not a JSON object'],
    ['null', 'null', 'not a JSON object'],
    ['a number with too many digits', '12345678901234567890', 'not a JSON object'],
    ['bytes that are not UTF-8', Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d), 'not UTF-8'],
    ['what would overflow the stack', '['.repeat(200_000), 'deeper'],
    ['one level too many', `${'{"a":'.repeat(MAX_DEPTH + 1)}1${'}'.repeat(MAX_DEPTH + 1)}`, 'deeper'],
  ])('refuses %s', (_, text, reason) => {
    const refusal = (() => {
      try {
        return read(text);
      } catch (error) {
        return error;
      }
    })();
    expect(refusal).toBeInstanceOf(HttpRefusal);
    expect(refusal).toMatchObject({ status: 400, message: expect.stringContaining(reason) });
  });

  it('takes as many levels as it says', () => {
    const text = `${'{"a":'.repeat(MAX_DEPTH)}1${'}'.repeat(MAX_DEPTH)}`;
    expect(JSON.stringify(read(text))).toBe(text);
  });

  it('is not confused by brackets and quotes in strings', () => {
    expect(depthOf('{"[[[\\"{{":"]]\\\\"}')).toBe(1);
  });
});

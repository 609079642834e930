import * as fc from 'fast-check';
import type { DeadLetter } from '../../src/types.ts';

/** A dead letter at `offset` of content-0, received on 2026-03-02, with whatever is given instead. */
export function letterAt(offset: number, instead: Partial<DeadLetter> = {}): DeadLetter {
  return {
    topic: 'content',
    partition: 0,
    offset,
    stage: 'decode',
    code: 'not_json',
    detail: 'expected JSON, got something else',
    timestamp: Date.parse('2026-03-02T10:00:00Z'),
    receivedAt: Date.parse('2026-03-02T10:00:01Z'),
    bytes: Buffer.from('{"broken'),
    key: null,
    headers: null,
    ...instead,
  };
}

const bytes = fc.uint8Array({ maxLength: 40 });
const time = fc.integer({ min: Date.UTC(2000, 0), max: Date.UTC(2100, 0) });
const headerName = fc.oneof(fc.string({ minLength: 1, maxLength: 12 }), fc.constant('__proto__'));

/** Dead letters of every kind. */
export const anyLetter: fc.Arbitrary<DeadLetter> = fc.record({
  topic: fc.constantFrom('content', 'other'),
  partition: fc.nat(3),
  offset: fc.nat(1000),
  stage: fc.constantFrom('decode', 'classify', 'deliver'),
  code: fc.constantFrom('not_json', 'too_large', 'model_failed'),
  detail: fc.oneof(fc.string(), fc.constant('expected at most 5 bytes, got 9; only the first 5 are kept')),
  timestamp: fc.option(time),
  receivedAt: time,
  bytes,
  key: fc.option(bytes),
  headers: fc.option(
    fc
      .array(fc.tuple(headerName, bytes), { maxLength: 4 })
      .map((entries) => Object.fromEntries(entries) as Record<string, Uint8Array>),
  ),
});

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TooManyDeadLettersError } from '../../src/errors.ts';
import { createDeadLetterLimit } from '../../src/ingest/dead-letter-limit.ts';
import type { DeadLetter } from '../../src/types.ts';

function batch(first: number, bad: readonly boolean[], partition = 0) {
  const deadLetters = bad.flatMap((isBad, at): DeadLetter[] =>
    isBad
      ? [
          {
            topic: 't',
            partition,
            offset: first + at,
            stage: 'decode',
            code: 'not_json',
            detail: 'expected JSON',
            timestamp: null,
            receivedAt: 0,
            bytes: new Uint8Array(0),
            key: null,
            headers: null,
          },
        ]
      : [],
  );
  return {
    topic: 't',
    partition,
    first,
    next: first + bad.length,
    rows: bad.length - deadLetters.length,
    deadLetters,
  };
}

describe('createDeadLetterLimit', () => {
  it('throws exactly when so many stand in a row, however they are batched', () => {
    const messages = fc.array(fc.boolean(), { maxLength: 40 });
    const cuts = fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 40, maxLength: 40 });
    fc.assert(
      fc.property(messages, cuts, fc.integer({ min: 1, max: 6 }), (bad, sizes, limit) => {
        const check = createDeadLetterLimit(limit);
        const expected = bad
          .map((isBad) => (isBad ? 'x' : '.'))
          .join('')
          .indexOf('x'.repeat(limit));
        let stoppedIn = -1;
        let first = 0;
        for (const size of sizes) {
          if (first >= bad.length || stoppedIn >= 0) break;
          try {
            check(batch(first, bad.slice(first, first + size)));
          } catch (error) {
            expect(error).toBeInstanceOf(TooManyDeadLettersError);
            stoppedIn = first;
          }
          first += size;
        }
        if (expected < 0) expect(stoppedIn).toBe(-1);
        else {
          const last = expected + limit - 1;
          expect(stoppedIn).toBeLessThanOrEqual(last);
          expect(first).toBeGreaterThan(last);
        }
      }),
    );
  });

  it('partitions count by themselves, and say where it was', () => {
    const check = createDeadLetterLimit(3);
    check(batch(0, [true, true], 0));
    check(batch(0, [true, true], 1));
    expect(() => check(batch(2, [true], 1))).toThrow(
      't-1: expected fewer than 3 dead letters in a row, got 3 up to offset 2; the last one: not_json: expected JSON',
    );
  });
});

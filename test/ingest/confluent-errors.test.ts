import { describe, expect, it } from 'vitest';
import { MisconfiguredError, RetryableError } from '../../src/errors.ts';
import { commitOutcome, confluentError } from '../../src/ingest/confluent-errors.ts';

/** As the library throws them. */
function libraryError(code: number): Error {
  return Object.assign(new Error(`code ${code}`), { code });
}

describe('errors of librdkafka', () => {
  it.each([
    ['a group that may not be used', 30],
    ['the same static member twice', 82],
    ['a broker without KIP-848', -165],
    ['a codec that it was built without', -198],
    ['whatever it calls fatal', -150],
  ])('%s: no further attempt helps', (_what, code) => {
    expect(confluentError(libraryError(code), 'kafka')).toBeInstanceOf(MisconfiguredError);
  });

  it.each([
    ['a connection that broke', -195],
    ['a leader that moved', 6],
    ['a code that nobody knows', 9999],
  ])('%s: tried again', (_what, code) => {
    expect(confluentError(libraryError(code), 'kafka')).toBeInstanceOf(RetryableError);
  });

  it('what is ours stays what it is, and so do bugs', () => {
    for (const error of [new MisconfiguredError('x'), new RetryableError('x'), new TypeError('x')])
      expect(confluentError(error, 'kafka')).toBe(error);
  });
});

describe('a commit that failed', () => {
  it.each([22, 25, 82, 110, -142, -150, -172])('with %i: is fenced', (code) => {
    expect(commitOutcome(libraryError(code))).toEqual({ kind: 'fenced', detail: `code ${code}` });
  });

  it.each([
    ['with the epoch of before the last heartbeat', 113, false],
    ['while the group gathers', 27, false],
    ['at a broker that is not the coordinator', 16, false],
    ['without an answer', -195, true],
    ['without an answer in time', -185, true],
    ['without a coordinator since it was sent', -180, true],
    ['at a broker that had no answer in time', 7, true],
    ['for some of its partitions', 3, true],
  ])('%s: is tried again', (_what, code, unanswered) => {
    expect(commitOutcome(libraryError(code))).toMatchObject({ kind: 'retry', unanswered });
  });

  it('for want of permission, or with metadata that are too long: never can be', () => {
    for (const code of [12, 29, 30])
      expect(() => commitOutcome(libraryError(code))).toThrow(MisconfiguredError);
  });

  it('by a bug: is thrown', () => {
    expect(() => commitOutcome(new TypeError('x'))).toThrow(TypeError);
  });
});

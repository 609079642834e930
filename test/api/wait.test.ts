import { describe, expect, it } from 'vitest';
import { parseWait, waitOf } from '../../src/api/wait.ts';

describe('wait', () => {
  it.each([
    ['2s', 2000],
    ['0.5s', 500],
    ['500ms', 500],
    ['2000', 2000],
    ['0', 0],
  ])('reads %s', (text, millis) => expect(parseWait(text)).toBe(millis));

  it.each(['', 's', '-1', '1m', '2 s', '1e3', '0x10', '٣', '99999999999'])(
    'does not take %j for a time',
    (text) => expect(parseWait(text)).toBeUndefined(),
  );

  const settings = { usual: 4000, longest: 30_000 };
  it.each([
    ['nothing is asked for', { asked: undefined, classifiers: false }, 0],
    ['classifiers are', { asked: undefined, classifiers: true }, 4000],
    ['a time is', { asked: 1500, classifiers: false }, 1500],
    ['both are', { asked: 1500, classifiers: true }, 1500],
    ['classifiers are, without waiting', { asked: 0, classifiers: true }, 0],
    ['too long a time is', { asked: 60_000, classifiers: true }, 30_000],
  ])('when %s, it waits so long', (_, request, millis) =>
    expect(waitOf({ ...request, ...settings })).toBe(millis),
  );

  it('never waits where nothing may', () => {
    expect(waitOf({ asked: 5000, classifiers: true, usual: 4000, longest: 0 })).toBe(0);
  });
});

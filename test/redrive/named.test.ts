import { describe, expect, it } from 'vitest';
import { createLetterFilter, type FilterFlags } from '../../src/redrive/filter.ts';
import { idOf, type Letters } from '../../src/redrive/letter.ts';
import { watchNamed } from '../../src/redrive/named.ts';
import { letterAt } from './letters.ts';

const REFUSED = letterAt(6, { stage: 'deliver', headers: { 'sluice-sink': Buffer.from('gone') } });
const LETTERS = [letterAt(5), REFUSED];

/** What is said after the letters were read, until `limit` of them were found. */
async function said(flags: FilterFlags, limit = Infinity): Promise<string | undefined> {
  const all: Letters = {
    description: 'topic dead',
    async read({ each, signal }) {
      for (const letter of LETTERS) if (!signal.aborted) await each(letter);
    },
  };
  const own = createLetterFilter(flags, () => undefined);
  const watched = watchNamed(flags, { letters: all, filter: own, sinks: ['hooks'] });
  const enough = new AbortController();
  let found = 0;
  const { letters, filter } = watched;
  await letters.read({
    received: filter.received,
    onProgress: () => undefined,
    signal: enough.signal,
    each(letter) {
      if (filter.wants(letter) && ++found >= limit) enough.abort();
      return Promise.resolve();
    },
  });
  try {
    watched.check();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

describe('what redrive is asked for by name', () => {
  const [first, second] = LETTERS.map(idOf) as [string, string];

  it('is there, or is said to be missing', async () => {
    expect(await said({})).toBeUndefined();
    expect(await said({ id: [first, second] })).toBeUndefined();
    expect(await said({ id: [first, 'nope', 'x'] })).toBe(
      '--id: expected ids of dead letters in topic dead that fit, got nope, x',
    );
    // It is there, but not of that stage.
    expect(await said({ id: [first], stage: 'deliver' })).toContain(`got ${first}`);
  });

  it('may be a sink that is configured, or is gone and refused something, and no other', async () => {
    for (const sink of ['hooks', 'gone']) expect(await said({ sink })).toBeUndefined();
    expect(await said({ sink: 'hook' })).toBe(
      '--sink: expected a sink that is configured or refused a decision (gone, hooks), got hook; did you mean "hooks"?',
    );
  });

  it('is not missing where not everything was read', async () => {
    expect(await said({ id: [first, 'nope'] }, 1)).toBeUndefined();
  });
});

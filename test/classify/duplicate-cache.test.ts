import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Classifier, Scores } from '../../src/classify/classifier.ts';
import { createDuplicateCache } from '../../src/classify/duplicate-cache.ts';
import { modelConfig } from '../../src/classify/model-config.ts';
import { openModel } from '../../src/classify/open-model.ts';
import { MisconfiguredError } from '../../src/errors.ts';
import { classifierContract } from '../contract/classifier.ts';

const tiny = join(import.meta.dirname, 'fixtures/tiny');
const open = (duplicates: string) => openModel(modelConfig.parse({ model: tiny, duplicates }));

classifierContract('a duplicate cache around a model', () => open('1MiB'));
classifierContract('a duplicate cache with room for two texts', () => open('300B'));

/** Scores of a text: its length, 0..1, and NaN for an empty one; `poison` is poison. */
function lengths(): Classifier & { readonly asked: string[][] } {
  const asked: string[][] = [];
  const scoreOf = (text: string) => (text === '' || text === 'poison' ? NaN : Math.min(1, text.length / 100));
  return {
    asked,
    labels: ['a', 'b'],
    model: 'lengths@1',
    thresholds: { a: { review: 0.5 } },
    languageThresholds: {},
    languages: new Set(['en']),
    score(texts): Promise<Scores> {
      asked.push([...texts]);
      return Promise.resolve({
        scores: Float32Array.from(texts.flatMap((text) => [scoreOf(text), scoreOf(text) / 2])),
        poison: texts.flatMap((text, row) => (text === 'poison' ? [{ row, detail: 'it failed' }] : [])),
        tokens: texts.length,
        padding: 0,
        counts: { first_stage: texts.length },
        seconds: { tokenise: 0, infer: 0 },
      });
    },
    close: () => Promise.resolve(),
  };
}
/** Room for so many texts of two labels. */
const room = (texts: number) => ({ bytes: texts * (136 + 8) });

describe('createDuplicateCache', () => {
  it('asks only for what it does not know, and says how many it knew', async () => {
    const inner = lengths();
    const cache = createDuplicateCache(inner, room(10));
    expect((await cache.score(['x', 'xx'])).counts).toEqual({ first_stage: 2 });
    const { scores, counts, tokens } = await cache.score(['xxx', 'x', '', 'xx', 'x']);
    expect(inner.asked).toEqual([
      ['x', 'xx'],
      ['xxx', ''],
    ]);
    expect(counts).toEqual({ first_stage: 2, duplicate: 3 });
    expect(tokens).toBe(2);
    const row = (score: number) => [Math.fround(score), Math.fround(score / 2)];
    expect([...scores]).toEqual([...row(0.03), ...row(0.01), NaN, NaN, ...row(0.02), ...row(0.01)]);
    expect((await cache.score([''])).counts).toEqual({ first_stage: 0, duplicate: 1 });
    expect([cache.labels, cache.model, cache.languages]).toEqual([
      inner.labels,
      inner.model,
      inner.languages,
    ]);
  });

  it('takes texts that differ in white space only as two', async () => {
    const inner = lengths();
    const cache = createDuplicateCache(inner, room(10));
    await cache.score(['a b', 'a  b', ' a b', 'A b']);
    expect((await cache.score(['a b ', 'a\tb'])).counts['duplicate']).toBeUndefined();
  });

  it('never remembers what made the model fail', async () => {
    const inner = lengths();
    const cache = createDuplicateCache(inner, room(10));
    for (let time = 0; time < 2; time++) {
      const { poison } = await cache.score(['fine', 'poison']);
      expect(poison).toEqual([{ row: 1, detail: 'it failed' }]);
    }
    expect(inner.asked).toEqual([['fine', 'poison'], ['poison']]);
  });

  it('forgets what was not asked for longest', async () => {
    const inner = lengths();
    const cache = createDuplicateCache(inner, room(2));
    for (const text of ['x', 'xx', 'x', 'xxx', 'x', 'xx']) await cache.score([text]);
    expect(inner.asked.flat()).toEqual(['x', 'xx', 'xxx', 'xx']);
  });

  it('gives what the classifier gives, for any stream, whatever it remembers', async () => {
    const text = fc.constantFrom(...Array.from({ length: 12 }, (_, i) => 'x'.repeat(i)), 'poison');
    const stream = fc.array(fc.array(text, { maxLength: 8 }), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(stream, fc.integer({ min: 1, max: 8 }), async (batches, capacity) => {
        const inner = lengths();
        const cache = createDuplicateCache(inner, room(capacity));
        for (const batch of batches) {
          const known = await cache.score(batch);
          const fresh = await lengths().score(batch);
          expect(known.scores).toEqual(fresh.scores);
          expect(known.poison).toEqual(fresh.poison);
        }
        // Overlapping calls too.
        const together = await Promise.all(batches.map((batch) => cache.score(batch)));
        for (const [i, batch] of batches.entries())
          expect(together[i]!.scores).toEqual((await lengths().score(batch)).scores);
      }),
    );
  });

  it('refuses a size without room for a text', () => {
    expect(() => createDuplicateCache(lengths(), { bytes: 100 })).toThrow(
      new MisconfiguredError('duplicates: expected room for one text at least, 144B, got 100B'),
    );
  });
});

describe('openModel', () => {
  it('remembers by default, and not when it is off', async () => {
    const counts = [];
    for (const duplicates of [undefined, 'off']) {
      const model = await openModel(
        modelConfig.parse({ model: tiny, ...(duplicates ? { duplicates } : {}) }),
      );
      await model.score(['hello world']);
      counts.push((await model.score(['hello world'])).counts);
      await model.close();
    }
    expect(counts).toEqual([{ duplicate: 1 }, {}]);
  });
});

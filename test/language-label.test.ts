import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLanguageLabels } from '../src/language-label.ts';

describe('language labels', () => {
  it('are primary subtags of languages that there are', () => {
    const label = createLanguageLabels();
    expect(['de', 'de-AT', 'EN_us', 'pcm', 'ta-Latn', 'und'].map(label)).toEqual([
      'de',
      'de',
      'en',
      'pcm',
      'ta',
      'und',
    ]);
    expect(['', 'xx', 'zzz', 'german', '../de', '__proto__'].map(label)).toEqual(Array(6).fill('other'));
  });

  it('are bounded, whatever producers send', () => {
    const label = createLanguageLabels(3);
    expect(['en', 'de', 'fr', 'es', 'en', 'und'].map(label)).toEqual([
      'en',
      'de',
      'fr',
      'other',
      'en',
      'und',
    ]);
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            fc.string(),
            fc.string({ minLength: 2, maxLength: 3, unit: fc.constantFrom('a', 'b', 'd', 'e', 'n', 's') }),
          ),
        ),
        (tags) => {
          const bounded = createLanguageLabels(5);
          expect(new Set(tags.map(bounded)).size).toBeLessThanOrEqual(7);
        },
      ),
    );
  });
});

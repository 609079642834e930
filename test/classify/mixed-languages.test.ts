import { describe, expect, it } from 'vitest';
import { loadLanguageDetector, type LanguageDetector } from '../../src/classify/language.ts';
import { isThroughout } from '../../src/classify/mixed-languages.ts';

const PORTUGUESE =
  'Não sei se amanhã vamos conseguir chegar a tempo de apanhar o comboio para o Porto, porque a minha irmã ainda não voltou do trabalho e o carro está na oficina. ';
const ENGLISH =
  'I do not know whether you have seen what these people have been saying about all of us for the whole of the last week, and nobody did anything about it. ';

const detector = loadLanguageDetector();

describe('isThroughout', () => {
  it('is true of a text in one language, short or long', () => {
    for (const text of [
      PORTUGUESE,
      PORTUGUESE.repeat(2),
      PORTUGUESE.repeat(5),
      `${PORTUGUESE}${' '.repeat(500)}`,
    ])
      expect(isThroughout(text, 'pt', detector)).toBe(true);
  });

  it.each([1, 2, 4, 20])('sees another language behind %i parts of it', (parts) => {
    expect(isThroughout(`${PORTUGUESE.repeat(parts)}${ENGLISH.repeat(parts)}`, 'pt', detector)).toBe(false);
    expect(isThroughout(`${PORTUGUESE.repeat(parts)}${ENGLISH}`, 'pt', detector)).toBe(false);
  });

  it('sees it in the middle', () => {
    expect(isThroughout(PORTUGUESE + ENGLISH.repeat(2) + PORTUGUESE, 'pt', detector)).toBe(false);
  });

  it('has doubts where the rest says nothing', () => {
    expect(isThroughout(`${PORTUGUESE}${'12345 '.repeat(60)}`, 'pt', detector)).toBe(false);
  });

  it('looks at a bounded number of parts', () => {
    let asked = 0;
    const counting: LanguageDetector = {
      detect: () => {
        asked++;
        return { language: 'pt', isCertain: true };
      },
    };
    expect(isThroughout('x'.repeat(1_000_000), 'pt', counting)).toBe(true);
    expect(asked).toBe(15);
  });
});

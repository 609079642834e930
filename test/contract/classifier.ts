import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Classifier } from '../../src/classify/classifier.ts';

/** Strings that break naive text handling: each must come back as a row, scored, unscored or poison. */
export const HOSTILE = [
  '',
  ' ',
  '\ud800',
  'a\udc00b',
  'nul\u0000inside',
  '\ufeff\u200b\u202e',
  '👨‍👩‍👧‍👦🏳️‍🌈',
  'e\u0301'.repeat(500),
  'x'.repeat(100_000),
  'word '.repeat(20_000),
  '\n'.repeat(1000),
  '[PAD] [CLS] <s> </s>',
];

const PLAIN = [
  'hello world',
  'you are an idiot',
  'buy pills now',
  'they are vermin',
  'guten Tag',
  '今天天气很好',
  'a b c d e f g h',
];

/** What every Classifier promises; call it in the implementation's test. */
export function classifierContract(name: string, create: () => Promise<Classifier>): void {
  describe(`${name} keeps the classifier contract`, () => {
    let classifier: Classifier;
    beforeAll(async () => (classifier = await create()));
    afterAll(() => classifier.close());
    const rowOf = (scores: Float32Array, row: number) => [
      ...scores.subarray(row * classifier.labels.length, (row + 1) * classifier.labels.length),
    ];

    it('names its labels once each, and a model exactly when it has labels', () => {
      expect(new Set(classifier.labels).size).toBe(classifier.labels.length);
      if (classifier.labels.length === 0) expect(classifier.model).toBeNull();
      else expect(classifier.model).toMatch(/^[^@]+@[^@]+( after [^@]+@[^@]+)?$/);
    });

    it('gives one row of probabilities per text', async () => {
      const { scores, poison, tokens, padding } = await classifier.score(PLAIN);
      expect(scores).toHaveLength(PLAIN.length * classifier.labels.length);
      expect([...scores].every((score) => score >= 0 && score <= 1)).toBe(true);
      expect(poison).toEqual([]);
      expect(padding).toBeGreaterThanOrEqual(0);
      expect(padding).toBeLessThanOrEqual(tokens);
    });

    it('scores a text the same alone, in company, in any order and twice', async () => {
      const alone: number[][] = [];
      for (const text of PLAIN) alone.push(rowOf((await classifier.score([text])).scores, 0));
      const orders = [PLAIN, PLAIN.toReversed(), [...PLAIN, ...PLAIN, 'word '.repeat(300), ...PLAIN]];
      for (const texts of orders) {
        const { scores } = await classifier.score(texts);
        for (const [row, text] of texts.entries()) {
          const expected = alone[PLAIN.indexOf(text)];
          rowOf(scores, row).forEach((score, label) => {
            if (expected) expect(score).toBeCloseTo(expected[label]!, 3);
          });
        }
      }
    });

    it('takes any string without throwing', async () => {
      const { scores, poison } = await classifier.score([...HOSTILE, 'hello world']);
      expect(scores).toHaveLength((HOSTILE.length + 1) * classifier.labels.length);
      expect(poison).toEqual([]);
      expect(rowOf(scores, HOSTILE.length)).toEqual(
        rowOf((await classifier.score(['hello world'])).scores, 0),
      );
    });

    it('takes no texts at all', async () => {
      const { scores, poison, tokens } = await classifier.score([]);
      expect([scores.length, poison.length, tokens]).toEqual([0, 0, 0]);
    });

    it('answers overlapping calls as it answers them one by one', async () => {
      const lists = [PLAIN, ['hello world'], PLAIN.slice(2), []];
      const apart = [];
      for (const list of lists) apart.push((await classifier.score(list)).scores);
      const together = await Promise.all(lists.map((list) => classifier.score(list)));
      expect(together.map(({ scores }) => scores)).toEqual(apart);
    });
  });
}

import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { classifyConfig } from '../../src/classify/config.ts';
import { createDropClassifier } from '../../src/classify/drop.ts';
import { createModelClassifier } from '../../src/classify/model-classifier.ts';
import { readModelFolder } from '../../src/classify/model-folder.ts';
import { classifierContract } from '../contract/classifier.ts';

const fixture = (name: string) => join(import.meta.dirname, 'fixtures', name);
const create = (path: string, options: object = {}) =>
  createModelClassifier(readModelFolder({ path }), classifyConfig.parse(options));

classifierContract('drop', () => Promise.resolve(createDropClassifier()));
classifierContract('a multi-label model', () => create(fixture('tiny')));
classifierContract('a multi-label model in runs of a few tokens', () =>
  create(fixture('tiny'), { batch_tokens: 12, sort_window: 3 }),
);
classifierContract('a single-label model with token types', () => create(fixture('bert')));
for (const name of ['default', 'sentiment'])
  classifierContract(`the bundled ${name} model`, () =>
    create(join(import.meta.dirname, '../../models', name)),
  );

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

describe('createModelClassifier', () => {
  it('gives sigmoid scores for labels that stand alone', async () => {
    const classifier = await create(fixture('tiny'));
    const { scores } = await classifier.score(['you idiot', 'vermin']);
    [3, -2, -3, 1, 3, -3].forEach((logit, i) => expect(scores[i]).toBeCloseTo(sigmoid(logit), 5));
    await classifier.close();
  });

  it('gives softmax scores for labels that exclude each other, with token types of 0', async () => {
    const classifier = await create(fixture('bert'));
    const { scores } = await classifier.score(['good film', 'bad bad film']);
    [sigmoid(3), sigmoid(-3), sigmoid(-6), sigmoid(6)].forEach((p, i) => expect(scores[i]).toBeCloseTo(p, 5));
    await classifier.close();
  });

  it('finds the texts that make the model fail, and scores all others', async () => {
    const classifier = await create(fixture('tiny'));
    const texts = Array.from({ length: 50 }, (_, i) => (i === 7 || i === 31 ? `kaboom ${i}` : `idiot ${i}`));
    const { scores, poison } = await classifier.score([...texts, 'kaboom 7']);
    expect(poison.map(({ row }) => row)).toEqual([7, 31, 50]);
    expect(poison[0]!.detail).toMatch(/^the model failed: .*Gather/);
    texts.forEach((text, row) => {
      const row3 = scores.subarray(row * 3, row * 3 + 3);
      if (text.startsWith('kaboom')) expect(row3).toEqual(new Float32Array(3).fill(NaN));
      else expect(row3[0]).toBeCloseTo(sigmoid(3), 5);
    });
    await classifier.close();
  });

  it('scores equal texts once', async () => {
    const classifier = await create(fixture('tiny'));
    const once = await classifier.score(['you are an idiot']);
    const often = await classifier.score(Array.from({ length: 40 }, () => 'you are an idiot'));
    expect(often.tokens).toBe(once.tokens);
    expect(often.scores).toHaveLength(120);
    expect(new Set(often.scores).size).toBe(new Set(once.scores).size);
    await classifier.close();
  });
});

import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { classifyConfig, createClassify } from '../../src/classify/index.ts';
import { MisconfiguredError } from '../../src/errors.ts';
import { ACTIONS, type DecodedBatch } from '../../src/types.ts';

const tiny = join(import.meta.dirname, 'fixtures/tiny');

function decoded(
  texts: string[],
  options: { customers?: string[]; language?: (string | null)[] } = {},
): DecodedBatch {
  const none = texts.map(() => null);
  return {
    rows: texts.length,
    index: Int32Array.from(texts, (_, i) => i),
    contentId: texts.map(String),
    customer: options.customers ?? texts.map(() => 'acme'),
    text: texts,
    userId: none,
    contentType: none,
    language: options.language ?? none,
    createdAt: new Float64Array(texts.length),
    metadata: none,
    deadLetters: [],
    skipped: {},
  };
}

describe('createClassify', () => {
  it('joins language, scores and policy, row by row', async () => {
    const config = classifyConfig.parse({
      model: tiny,
      policies: { lax: { name: 'lax', version: 1, quiet: ['toxic'] } },
    });
    const classify = await createClassify(config);
    const texts = [
      'hello world',
      'you are an idiot',
      'kaboom',
      'you are an idiot',
      'Wir treffen uns morgen um acht Uhr vor dem Kino',
    ];
    const verdicts = await classify(
      decoded(texts, {
        customers: ['acme', 'acme', 'acme', 'lax', 'acme'],
        language: [null, 'en-GB', null, null, null],
      }),
    );
    expect([...verdicts.actions].map((action) => ACTIONS[action])).toEqual([
      'allow',
      'block',
      'allow',
      'allow',
      'allow',
    ]);
    // The model judges English only.
    expect(verdicts.reasons).toEqual([null, ['toxic'], null, null, ['unsupported_language']]);
    expect(verdicts.language).toEqual(['en', 'en-GB', null, 'en', 'de']);
    expect(verdicts.poison).toEqual([{ row: 2, detail: expect.stringContaining('the model failed') }]);
    expect(verdicts.scores).toHaveLength(15);
    expect(verdicts.model).toBe('tiny@1.2.0');
    expect(verdicts.policy).toBe(classify.policy);
    expect(verdicts.policies?.[3]).toBe('lax@1');
    expect(verdicts.tokens).toBeGreaterThan(0);
    await classify.close();
  });

  it('detects no language when told so', async () => {
    const classify = await createClassify(classifyConfig.parse({ model: tiny, language: 'off' }));
    expect((await classify(decoded(['Wir treffen uns morgen um acht Uhr vor dem Kino']))).language).toEqual([
      null,
    ]);
    await classify.close();
  });

  it('passes everything with model drop', async () => {
    const classify = await createClassify(classifyConfig.parse({ model: 'drop' }));
    const verdicts = await classify(decoded(['you are an idiot', '한국어'], { language: [null, 'ko'] }));
    expect(verdicts).toMatchObject({
      labels: [],
      model: null,
      policy: null,
      poison: [],
      tokens: 0,
      language: [null, 'ko'],
    });
    expect([...verdicts.actions]).toEqual([0, 0]);
    expect(verdicts.reasons).toEqual([null, null]);
    expect(verdicts.scores).toHaveLength(0);
  });

  it('takes an empty batch', async () => {
    const classify = await createClassify(classifyConfig.parse({ model: tiny }));
    expect((await classify(decoded([]))).scores).toHaveLength(0);
    await classify.close();
  });

  it('refuses a policy for a label that the model lacks', async () => {
    const config = classifyConfig.parse({
      model: tiny,
      policies: { default: { labels: { txic: { review: 1 } } } },
    });
    await expect(createClassify(config)).rejects.toThrow(MisconfiguredError);
  });

  it('has the bundled model as its default', async () => {
    const classify = await createClassify(classifyConfig.parse({}));
    expect(classify.model).toMatch(/^sluice-default@\d+\.\d+\.\d+$/);
    await classify.close();
  });

  it('refuses a model that is not there', async () => {
    const config = classifyConfig.parse({ model: '/nowhere' });
    await expect(createClassify(config)).rejects.toThrow('/nowhere: expected a model folder, got nothing');
  });
});

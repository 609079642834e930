import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { classifyConfig, createClassify, type Classify } from '../../src/classify/index.ts';
import { ACTIONS, type DecodedBatch } from '../../src/types.ts';

const PORTUGUESE =
  'Não sei se amanhã vamos conseguir chegar a tempo de apanhar o comboio para o Porto, porque a minha irmã ainda não voltou do trabalho e o carro está na oficina. ';
const ABUSE =
  'you are all idiots and I will come to your house with my friends to tell you so in person. '.repeat(2);

/** The tiny model judges English only. */
const config = classifyConfig.parse({
  model: join(import.meta.dirname, 'fixtures/tiny'),
  policies: { default: { unsupported_language: 'block' } },
});
let classify: Classify;
beforeAll(async () => {
  classify = await createClassify(config);
});
afterAll(() => classify.close());

async function reasonOf(text: string, language: string | null): Promise<string> {
  const none = [null];
  const batch: DecodedBatch = {
    rows: 1,
    index: Int32Array.of(0),
    contentId: ['1'],
    customer: ['acme'],
    text: [text],
    userId: none,
    contentType: none,
    language: [language],
    createdAt: new Float64Array(1),
    metadata: none,
    deadLetters: [],
    skipped: {},
  };
  const { actions, reasons, scores } = await classify(batch);
  const isScored = !Number.isNaN(scores[0]);
  return `${ACTIONS[actions[0]!]} ${reasons[0]?.join() ?? '-'} ${isScored ? 'scored' : 'unscored'}`;
}

describe('a row in a language that no model judges', () => {
  it.each([
    ['named', 'guten Tag', 'de', 'block unsupported_language unscored'],
    ['named by a longer tag', 'guten Tag', 'de-AT', 'block unsupported_language unscored'],
    ['named otherwise than it looks', PORTUGUESE, 'en', 'allow - scored'],
    ['detected with certainty', PORTUGUESE, null, 'block unsupported_language unscored'],
    ['detected with certainty throughout', PORTUGUESE.repeat(4), null, 'block unsupported_language unscored'],
    ['detected without certainty', 'bom dia', null, 'allow - scored'],
    ['detected in the beginning only', PORTUGUESE + ABUSE, null, 'allow - scored'],
    [
      'detected in the beginning and the end',
      PORTUGUESE + ABUSE.repeat(2) + PORTUGUESE,
      null,
      'allow - scored',
    ],
    ['unknown', '12345', null, 'allow - scored'],
  ])('%s', async (_, text, language, expected) => {
    expect(await reasonOf(text, language)).toBe(expected);
  });
});

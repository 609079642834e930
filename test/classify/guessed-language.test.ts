import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { classifyConfig, createClassify } from '../../src/classify/index.ts';
import { writeVariant } from './fixtures/variant.ts';

const directory = mkdtempSync(join(tmpdir(), 'sluice-guessed-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

it('only a certain language keeps a text from the model', async () => {
  const english = writeVariant(join(directory, 'english'), { name: 'english', languages: ['en'] });
  const classify = await createClassify(classifyConfig.parse({ model: english }));
  const text = [
    'Não sei se amanhã vamos conseguir chegar a tempo de apanhar o comboio',
    'hallo mensen',
    'hallo mensen',
    'see you tomorrow at the station',
  ];
  const none = text.map(() => null);
  const verdicts = await classify({
    rows: text.length,
    index: Int32Array.from(text.keys()),
    contentId: text,
    customer: text.map(() => 'acme'),
    text,
    userId: none,
    contentType: none,
    language: [null, null, 'nl', null],
    createdAt: new Float64Array(text.length),
    metadata: none,
    deadLetters: [],
    skipped: {},
  });
  await classify.close();
  // The second text looks like German, the third says what it is.
  expect(verdicts.language).toEqual(['pt', 'de', 'nl', 'en']);
  expect(verdicts.reasons).toEqual([['unsupported_language'], null, ['unsupported_language'], null]);
  const width = verdicts.labels.length;
  expect(text.map((_, row) => Number.isNaN(verdicts.scores[row * width]!))).toEqual([
    true,
    false,
    true,
    false,
  ]);
});

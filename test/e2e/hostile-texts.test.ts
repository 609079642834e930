import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { writeVariant } from '../classify/fixtures/variant.ts';
import { rows, scratch, sluice, writeConfig } from './cli.ts';

const TEXTS = 100_000;

/** Any sequence of UTF-16 units: lone surrogates, control characters, halves of anything. */
const units = fc
  .array(fc.oneof(fc.nat(0xffff), fc.integer({ min: 0xd800, max: 0xdfff }), fc.nat(0x20)), { maxLength: 40 })
  .map((codes) => String.fromCharCode(...codes));
const text = fc.oneof(
  { weight: 40, arbitrary: fc.string({ unit: 'binary', maxLength: 60 }) },
  { weight: 40, arbitrary: units },
  { weight: 20, arbitrary: fc.string({ unit: 'grapheme', maxLength: 30 }) },
  {
    weight: 10,
    arbitrary: fc
      .array(fc.constantFrom('\u0301', '\u200d', '\u202e', '\ufeff', '🏳️'), { maxLength: 80 })
      .map((marks) => marks.join('')),
  },
  { weight: 5, arbitrary: fc.constantFrom('', ' ', '\n\n', '\0', '[PAD] [CLS] </s> [UNK]', '##', 'kaboom') },
);

it(`${TEXTS} hostile texts through two models: no crash, nothing lost, nothing changed`, async () => {
  const directory = scratch();
  const texts = [
    ...fc.sample(text, { numRuns: TEXTS - 40, seed: 6 }),
    // Words and texts of 100 kB.
    ...Array.from({ length: 20 }, (_, i) =>
      String.fromCodePoint(0x61 + i * 977).repeat(100_000 / (1 + (i % 2))),
    ),
    ...Array.from({ length: 20 }, (_, i) => `${'e\u0301'.repeat(i)}\ud83d `.repeat(100_000 / (2 * i + 2))),
  ];
  writeFileSync(
    join(directory, 'in.jsonl'),
    texts.map((value, i) => `${JSON.stringify({ customer: `c${i % 3}`, text: value })}\n`).join(''),
  );
  writeVariant(join(directory, 'sentiment'), {
    name: 'sentiment',
    labels: ['negative', 'neutral', 'positive'],
    softmax: true,
  });
  const config = writeConfig(directory, {
    source: { type: 'file', inputs: ['in.jsonl'] },
    classify: { models: { toxicity: { model: 'default' }, sentiment: { model: './sentiment' } } },
    ingest: { dead_letters: { max_consecutive: 1000 } },
  });
  const end = await sluice(['run', config, '--until-end', '--json']);
  expect(end.code, end.stderr).toBe(0);
  expect(end.stderr).not.toContain('worker-died');

  const stored = await rows(
    directory,
    'select "offset"::INT as o, hex(encode(content)) as content, model, action from content',
  );
  const dead = await rows(directory, 'select "offset"::INT as o, code from dead_letters');
  const settled = [...stored, ...dead].map(({ o }) => Number(o)).toSorted((a, b) => a - b);
  expect(settled).toEqual(texts.map((_, i) => i));
  // An empty text is no content; of all others only the one word that the small model cannot read is refused.
  const expected = new Map(
    texts.flatMap((value, i): [number, string][] => {
      if (value === 'kaboom') return [[i, 'model_failed']];
      return value === '' ? [[i, 'empty_text']] : [];
    }),
  );
  expect(new Set(expected.values()).size).toBe(2);
  expect(new Map(dead.map(({ o, code }) => [Number(o), String(code)]))).toEqual(expected);
  // As bytes: what reads the archive here drops the byte order mark that some texts begin with.
  const hex = (value: string) => Buffer.from(value.toWellFormed()).toString('hex').toUpperCase();
  const wrong = stored.filter(({ o, content }) => hex(texts[Number(o)]!) !== content);
  expect(wrong).toEqual([]);
  const models = new Set(stored.map(({ model }) => model));
  for (const model of models) expect(model).toMatch(/^(sluice-default@[\d.]+,)?sentiment@1\.0\.0$/);
  expect((await sluice(['verify', config])).code).toBe(0);
});

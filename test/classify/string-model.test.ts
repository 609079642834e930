import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { modelConfig } from '../../src/classify/model-config.ts';
import { openModel } from '../../src/classify/open-model.ts';
import { classifierContract } from '../contract/classifier.ts';

/** TfidfVectorizer and logistic regression as skl2onnx exports them: made by fixtures/strings/make.py. */
const FOLDER = join(import.meta.dirname, 'fixtures/strings');
const open = (model: string) => openModel(modelConfig.parse({ model }));

describe.each([
  ['single-label', ['insult', 'none', 'spam']],
  ['multi-label', ['insult', 'spam']],
  ['logits', ['insult', 'none', 'spam']],
])('a model that reads texts itself: %s', (name, labels) => {
  const expected: { texts: string[]; scores: number[][] } = JSON.parse(
    readFileSync(join(FOLDER, name, 'expected.json'), 'utf8'),
  );

  it("gives the scores of Python's onnxruntime", async () => {
    const classifier = await open(join(FOLDER, name));
    const { scores, poison, tokens } = await classifier.score(expected.texts);
    await classifier.close();
    expect(poison).toEqual([]);
    expect(classifier.labels).toEqual(labels);
    expect(classifier.model).toBe(`${name}@1.0.0`);
    expect(tokens).toBe(expected.texts.length);
    const probabilities = name === 'logits' ? expected.scores.map(softmax) : expected.scores;
    probabilities.forEach((row, text) => {
      row.forEach((score, label) => expect(scores[text * labels.length + label]).toBeCloseTo(score, 4));
    });
    expect(scores[0]).toBeGreaterThan(0.9);
  });
});

const softmax = (row: number[]) => {
  const grown = row.map(Math.exp);
  const sum = grown.reduce((a, b) => a + b, 0);
  return grown.map((value) => value / sum);
};

describe('a model that reads texts itself is refused', () => {
  let path: string;
  beforeEach(() => {
    path = join(mkdtempSync(join(tmpdir(), 'sluice-strings-')), 'model');
    cpSync(join(FOLDER, 'single-label'), path, { recursive: true });
  });
  afterEach(() => rmSync(join(path, '..'), { recursive: true }));

  it('when its scores come as maps', async () => {
    await expect(open(join(FOLDER, 'maps'))).rejects.toThrow(
      /maps\/model\.onnx: expected an output "logits" or "probabilities", got output_label, output_probability; export it without maps: skl2onnx with options=\{'zipmap': False\}$/,
    );
  });

  it('when it names a locale that the machine lacks', async () => {
    await expect(open(join(FOLDER, 'locale'))).rejects.toThrow(
      /locale\/model\.onnx: expected an ONNX model, got .*xx_XX\.UTF-8.*; install the locale, or export the model with options=\{id\(vectorizer\): \{'locale': 'C\.UTF-8'\}\}$/,
    );
  });

  it('when it has other labels', async () => {
    writeFileSync(join(path, 'sluice.yaml'), 'name: a\nversion: 1\nlabels: [insult, spam]');
    await expect(open(path)).rejects.toThrow(
      /output probabilities: expected 2 columns \(insult, spam\), got 3$/,
    );
  });

  it('when nothing names its labels', async () => {
    writeFileSync(join(path, 'sluice.yaml'), 'name: a\nversion: 1');
    await expect(open(path)).rejects.toThrow(/config\.json: expected a readable file, got ENOENT/);
  });
});

classifierContract('a model that reads texts itself', () => open(join(FOLDER, 'single-label')));

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { modelConfig } from '../../src/classify/model-config.ts';
import { openModel } from '../../src/classify/open-model.ts';
import { classifierContract } from '../contract/classifier.ts';

/**
 * Folders as `optimum-cli export onnx` wrote them, tiny, with random weights, and the scores of Python's onnxruntime, one text
 * at a time: made by scripts/exported-models/make.py. `npm run exported-models` does the same with models of true size.
 */
const FOLDER = join(import.meta.dirname, 'fixtures/exported');
/** Half precision is rounded otherwise by every kernel; int8 has one scale for a whole batch. */
const TOLERANCE = {
  'model.onnx': 1e-4,
  'model_external.onnx': 1e-4,
  'model_fp16.onnx': 5e-3,
  'model_quantized.onnx': 0.1,
};
const FILES = [
  ['minilm', 'model.onnx', 6],
  ['minilm', 'model_fp16.onnx', 6],
  ['minilm', 'model_quantized.onnx', 6],
  ['distilbert', 'model.onnx', 3],
  ['distilbert', 'model_external.onnx', 3],
  ['xlm-roberta', 'model.onnx', 28],
] as const;

const open = (name: string, options: object = {}) =>
  openModel(modelConfig.parse({ model: join(FOLDER, name), ...options }));

describe.each(FILES)('%s, %s', (name, file, labels) => {
  const expected: { texts: string[]; scores: Record<string, number[][]> } = JSON.parse(
    readFileSync(join(FOLDER, name, 'expected.json'), 'utf8'),
  );

  it("gives the scores of Python's onnxruntime, whatever is in the batch", async () => {
    const classifier = await open(name, { file });
    const { scores, poison, padding } = await classifier.score(expected.texts);
    await classifier.close();
    expect(poison).toEqual([]);
    expect(padding).toBeGreaterThan(0);
    expect(classifier.labels).toHaveLength(labels);
    const worst = expected.scores[file]!.flat().reduce(
      (most, score, i) => Math.max(most, Math.abs(score - scores[i]!)),
      0,
    );
    expect(worst).toBeLessThan(TOLERANCE[file]);
    expect(scores).toHaveLength(expected.texts.length * labels);
  });

  it('has scores that tell texts apart', () => {
    const [first] = expected.scores[file]!;
    expect(
      expected.scores[file]!.some((row) => row.some((score, i) => Math.abs(score - first![i]!) > 0.1)),
    ).toBe(true);
  });
});

it('reads as many tokens as there are positions, and no more', async () => {
  for (const name of ['minilm', 'xlm-roberta']) {
    const classifier = await open(name);
    const { poison } = await classifier.score(['word '.repeat(1000)]);
    expect(poison).toEqual([]);
    await classifier.close();
    await expect(open(name, { max_tokens: 49 })).rejects.toThrow(
      /max_tokens of the configuration: expected at most 48, the positions of this (bert|xlm-roberta) model, got 49$/,
    );
  }
});

classifierContract('a BERT model by optimum', () => open('minilm'));
classifierContract('an XLM-RoBERTa model by optimum', () => open('xlm-roberta'));
it('finds the file of a precision', async () => {
  for (const [precision, file] of [
    ['int8', '+model_quantized'],
    ['fp16', '+model_fp16'],
    ['fp32', ''],
  ]) {
    const classifier = await open('minilm', { precision });
    expect(classifier.model?.replace(/@[0-9a-f]{8}/, '')).toBe(`minilm${file}`);
    await classifier.close();
  }
});

classifierContract('a model in half precision', () => open('minilm', { precision: 'fp16' }));

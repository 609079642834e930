import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { classifyConfig, resolveModel } from '../../src/classify/config.ts';
import { createModelClassifier } from '../../src/classify/model-classifier.ts';
import { readModelFolder } from '../../src/classify/model-folder.ts';
import { MisconfiguredError } from '../../src/errors.ts';

const fixtures = join(import.meta.dirname, 'fixtures');
let path: string;
beforeEach(() => (path = join(mkdtempSync(join(tmpdir(), 'sluice-model-')), 'model')));
afterEach(() => rmSync(join(path, '..'), { recursive: true }));

const load = async (file?: string) =>
  (await createModelClassifier(readModelFolder({ path, file }), classifyConfig.parse({}))).close();
const edit = (name: string, change: (text: string) => string) => {
  const before = readFileSync(join(path, name), 'utf8');
  const after = change(before);
  expect(after).not.toBe(before);
  writeFileSync(join(path, name), after);
};
/** Puts the checksum of a changed file into the manifest, so that the change itself is what fails. */
const sign = (name: string) => {
  const digest = createHash('sha256')
    .update(readFileSync(join(path, name)))
    .digest('hex');
  edit('sluice.yaml', (text) => text.replace(new RegExp(`(${name}: )"[0-9a-f]{64}"`), `$1"${digest}"`));
};
const editSigned = (name: string, change: (text: string) => string) => {
  edit(name, change);
  sign(name);
};

describe('a model folder with one defect is refused in one line', () => {
  const defects: [string, () => void, RegExp][] = [
    ['no folder', () => rmSync(path, { recursive: true }), /model: expected a model folder, got nothing$/],
    [
      'a file instead',
      () => {
        rmSync(path, { recursive: true });
        writeFileSync(path, '');
      },
      /model: expected a model folder, got a file$/,
    ],
    [
      'no config.json',
      () => rmSync(join(path, 'config.json')),
      /config\.json: expected a readable file, got ENOENT/,
    ],
    [
      'config.json is not JSON',
      () => writeFileSync(join(path, 'config.json'), '{"id2label": '),
      /config\.json: expected JSON, got /,
    ],
    [
      'config.json has no labels',
      () => writeFileSync(join(path, 'config.json'), '{}'),
      /config\.json: id2label: expected record, got nothing$/,
    ],
    [
      'labels are not numbered from 0',
      () => edit('config.json', (t) => t.replace('"2": "spam"', '"3": "spam"')),
      /config\.json: id2label: expected keys 0 to 2, got 0, 1, 3$/,
    ],
    [
      'two labels are equal',
      () => edit('config.json', (t) => t.replace('"2": "spam"', '"2": "hate"')),
      /id2label: expected distinct labels, got "hate" twice$/,
    ],
    [
      'problem_type is regression',
      () => edit('config.json', (t) => t.replace('multi_label_classification', 'regression')),
      /problem_type: expected single_label_classification or multi_label_classification, got "regression"$/,
    ],
    [
      'no tokenizer',
      () => rmSync(join(path, 'tokenizer.json')),
      /tokenizer\.json: sluice\.yaml names it, expected a file, got nothing$/,
    ],
    [
      'a damaged tokenizer',
      () => editSigned('tokenizer.json', (t) => t.replace('"WordLevel"', '"Nonsense"')),
      /tokenizer\.json: expected a Hugging Face tokenizer, got /,
    ],
    [
      'no model',
      () => rmSync(join(path, 'onnx/model.onnx')),
      /model: expected onnx\/model\.onnx or model\.onnx, got none of them$/,
    ],
    [
      'a damaged model',
      () => {
        writeFileSync(
          join(path, 'onnx/model.onnx'),
          readFileSync(join(path, 'onnx/model.onnx')).subarray(0, 300),
        );
        sign('onnx/model.onnx');
      },
      /model\.onnx: expected an ONNX model, got /,
    ],
    [
      'the model has other outputs',
      () => editSigned('config.json', (t) => t.replace(',\n    "2": "spam"', '')),
      /sluice\.yaml: thresholds: expected a label of the model \(toxic, hate\), got "spam"$/,
    ],
    [
      'a checksum differs',
      () => edit('config.json', (t) => `${t}\n`),
      /config\.json: expected sha256 [0-9a-f]{64}, got [0-9a-f]{64}$/,
    ],
    [
      'a file of the manifest is missing',
      () => edit('sluice.yaml', (t) => `${t}  vocab.txt: "${'0'.repeat(64)}"\n`),
      /vocab\.txt: sluice\.yaml names it, expected a file, got nothing$/,
    ],
    [
      'sluice.yaml is not YAML',
      () => writeFileSync(join(path, 'sluice.yaml'), 'name: [tiny'),
      /sluice\.yaml: expected YAML, got /,
    ],
    [
      'sluice.yaml has an unknown key',
      () => edit('sluice.yaml', (t) => `${t}treshold: 1\n`),
      /sluice\.yaml: unknown key "treshold"$/,
    ],
    [
      'sluice.yaml has no version',
      () => edit('sluice.yaml', (t) => t.replace('version: 1.2.0\n', '')),
      /sluice\.yaml: version: expected a version, got nothing$/,
    ],
    [
      'a threshold is out of range',
      () => edit('sluice.yaml', (t) => t.replace('block: 0.98', 'block: 98')),
      /sluice\.yaml: thresholds\.spam\.block: .*got 98$/,
    ],
    [
      'thresholds in the wrong order',
      () => edit('sluice.yaml', (t) => t.replace('review: 0.7', 'review: 0.99')),
      /sluice\.yaml: thresholds\.spam: expected review at most block, got review 0\.99 and block 0\.98$/,
    ],
    [
      'a threshold names no label',
      () => edit('sluice.yaml', (t) => t.replace('  spam: { review', '  spma: { review')),
      /sluice\.yaml: thresholds: expected a label of the model \(toxic, hate, spam\), got "spma"; did you mean "spam"\?$/,
    ],
    [
      'a check names no label',
      () => edit('sluice.yaml', (t) => t.replace('scores: { toxic', 'scores: { rude')),
      /sluice\.yaml: checks: expected a label .*got "rude"/,
    ],
    [
      'a check is not reproduced',
      () => edit('sluice.yaml', (t) => t.replace('toxic: 0.953', 'toxic: 0.500')),
      /model\.onnx: check 2 of sluice\.yaml: expected toxic 0\.5 ± 0\.01, got 0\.953$/,
    ],
  ];

  it.each(defects)('%s', async (_name, damage, message) => {
    cpSync(join(fixtures, 'tiny'), path, { recursive: true });
    await load();
    damage();
    const error = await load().then(
      () => undefined,
      (thrown: unknown) => (thrown instanceof Error ? thrown : expect.unreachable()),
    );
    expect(error).toBeInstanceOf(MisconfiguredError);
    expect(error!.message).toMatch(message);
    expect(error!.message).not.toContain('\n');
  });

  it('another number of outputs than labels', async () => {
    cpSync(join(fixtures, 'bert'), path, { recursive: true });
    edit('config.json', (text) => text.replace('"1": "negative"', '"1": "negative", "2": "neutral"'));
    await expect(load()).rejects.toThrow(
      /model\.onnx: output logits: expected 3 columns \(positive, negative, neutral\), got 2$/,
    );
  });

  it('no tokenizer, nor a manifest that names one', async () => {
    cpSync(join(fixtures, 'bert'), path, { recursive: true });
    rmSync(join(path, 'tokenizer.json'));
    await expect(load()).rejects.toThrow(/tokenizer\.json: expected a file, got nothing$/);
  });

  it('more tokens than positions', async () => {
    cpSync(join(fixtures, 'bert'), path, { recursive: true });
    edit('config.json', (text) =>
      text
        .replace('"sum"', '"xlm-roberta", "max_position_embeddings": 66')
        .replace('"pad_token_id": 0', '"pad_token_id": 1'),
    );
    expect(readModelFolder({ path }).maxTokens).toBe(64);
    expect(() => readModelFolder({ path, maxTokens: 65 })).toThrow(
      /model: max_tokens of the configuration: expected at most 64, the positions of this xlm-roberta model, got 65$/,
    );
    writeFileSync(join(path, 'sluice.yaml'), 'name: a\nversion: 1\nmax_tokens: 66');
    expect(() => readModelFolder({ path })).toThrow(/max_tokens of sluice\.yaml: expected at most 64/);
  });

  it('labels of the manifest that are not as many', async () => {
    cpSync(join(fixtures, 'bert'), path, { recursive: true });
    writeFileSync(join(path, 'sluice.yaml'), 'name: a\nversion: 1\nlabels: [one]');
    await expect(load()).rejects.toThrow(
      /sluice\.yaml: labels: expected 2 as in config\.json \(positive, negative\), got one$/,
    );
  });

  it('a configured file that is not there', async () => {
    cpSync(join(fixtures, 'tiny'), path, { recursive: true });
    await expect(load('onnx/model_int8.onnx')).rejects.toThrow(
      /onnx\/model_int8\.onnx: expected a file, got nothing; there are onnx\/model\.onnx$/,
    );
  });
});

describe('readModelFolder', () => {
  it('reads limits, thresholds and identity from sluice.yaml', () => {
    const folder = readModelFolder({ path: join(fixtures, 'tiny') });
    expect(folder).toMatchObject({
      id: 'tiny@1.2.0',
      labels: ['toxic', 'hate', 'spam'],
      activation: 'sigmoid',
      maxTokens: 16,
    });
    expect(readModelFolder({ path: join(fixtures, 'tiny'), maxTokens: 5 }).maxTokens).toBe(5);
  });

  it('works without sluice.yaml: softmax, named after the folder and its checksum', () => {
    expect(readModelFolder({ path: join(fixtures, 'bert') })).toMatchObject({
      id: expect.stringMatching(/^bert@[0-9a-f]{8}$/),
      activation: 'softmax',
      maxTokens: 512,
    });
  });

  it('takes the limit of the tokenizer, where it is smaller and sensible', () => {
    cpSync(join(fixtures, 'bert'), path, { recursive: true });
    for (const [limit, expected] of [
      [128, 128],
      [1e30, 512],
      [4096, 512],
    ]) {
      writeFileSync(join(path, 'tokenizer_config.json'), JSON.stringify({ model_max_length: limit }));
      expect(readModelFolder({ path }).maxTokens).toBe(expected);
    }
    writeFileSync(join(path, 'tokenizer_config.json'), '{');
    expect(() => readModelFolder({ path })).toThrow(/tokenizer_config\.json: expected JSON/);
  });

  it('takes labels and activation of the manifest instead of those of config.json', () => {
    cpSync(join(fixtures, 'bert'), path, { recursive: true });
    writeFileSync(
      join(path, 'sluice.yaml'),
      'name: a\nversion: 1\nlabels: [good, bad]\nactivation: sigmoid\nthresholds: { bad: { review: 0.5 } }',
    );
    expect(readModelFolder({ path })).toMatchObject({ labels: ['good', 'bad'], activation: 'sigmoid' });
  });

  it('finds the file of a precision by the names of the exporters', () => {
    cpSync(join(fixtures, 'tiny'), path, { recursive: true });
    const copy = (name: string) => cpSync(join(path, 'onnx/model.onnx'), join(path, name));
    expect(() => readModelFolder({ path, precision: 'int8' })).toThrow(
      /model: precision int8: expected onnx\/model_int8\.onnx or onnx\/model_quantized\.onnx or model_int8\.onnx or model_quantized\.onnx, got none of them; there are onnx\/model\.onnx$/,
    );
    copy('model_quantized.onnx');
    expect(readModelFolder({ path, precision: 'int8' }).id).toBe('tiny@1.2.0+model_quantized');
    copy('onnx/model_int8.onnx');
    expect(readModelFolder({ path, precision: 'int8' }).id).toBe('tiny@1.2.0+model_int8');
    copy('onnx/model_fp16.onnx');
    expect(readModelFolder({ path, precision: 'fp16' }).onnx).toBe(join(path, 'onnx/model_fp16.onnx'));
    expect(readModelFolder({ path, precision: 'fp32' }).id).toBe('tiny@1.2.0');
    expect(() => readModelFolder({ path, precision: 'fp32', file: 'model_quantized.onnx' })).toThrow(
      /expected either a file or a precision, got file model_quantized\.onnx and precision fp32$/,
    );
  });

  it('names another model file in the identity', () => {
    cpSync(join(fixtures, 'tiny'), path, { recursive: true });
    cpSync(join(path, 'onnx/model.onnx'), join(path, 'onnx/model_int8.onnx'));
    expect(readModelFolder({ path, file: 'onnx/model_int8.onnx' }).id).toBe('tiny@1.2.0+model_int8');
  });
});

describe('resolveModel', () => {
  it('keeps drop, finds the bundled model, and resolves paths against the configuration', () => {
    expect(resolveModel('drop', '/etc')).toBe('drop');
    expect(resolveModel('default', '/etc')).toBe(join(import.meta.dirname, '../../models/default'));
    expect(resolveModel('models/x', '/etc')).toBe('/etc/models/x');
    expect(resolveModel(resolveModel('models/x', '/etc'), '/tmp')).toBe('/etc/models/x');
  });
});

import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readModelFolder } from '../../src/classify/model-folder.ts';
import { writeManifest } from '../../src/classify/write-manifest.ts';

let path: string;
beforeEach(() => {
  path = join(mkdtempSync(join(tmpdir(), 'sluice-manifest-')), 'film');
  cpSync(join(import.meta.dirname, 'fixtures/bert'), path, { recursive: true });
});
afterEach(() => rmSync(join(path, '..'), { recursive: true }));

describe('writeManifest', () => {
  it('lists what the model consists of, and nothing else', async () => {
    mkdirSync(join(path, 'onnx'));
    for (const read of ['onnx/model.onnx_data', 'onnx/weights.bin', 'vocab.txt'])
      writeFileSync(join(path, read), read);
    for (const other of ['model.safetensors', 'pytorch_model.bin', 'README.md', '.DS_Store'])
      writeFileSync(join(path, other), other);
    const { files } = await writeManifest(path, { name: 'film', version: '1' });
    expect(Object.keys(files)).toEqual([
      'config.json',
      'model.onnx',
      'onnx/model.onnx_data',
      'onnx/weights.bin',
      'tokenizer.json',
      'vocab.txt',
    ]);
    expect(readModelFolder({ path }).id).toBe('film@1');
  });

  it('keeps what stands in it, comments included', async () => {
    writeFileSync(
      join(path, 'sluice.yaml'),
      '# Ours.\nname: film\nversion: 1\nthresholds: { negative: { review: 0.5 } } # as agreed\n',
    );
    await writeManifest(path, { version: '1.1' });
    const text = readFileSync(join(path, 'sluice.yaml'), 'utf8');
    expect(text).toContain('# Ours.\nname: film\nversion: "1.1"\n');
    expect(text).toContain('review: 0.5 } } # as agreed');
    writeFileSync(join(path, 'config.json'), readFileSync(join(path, 'config.json'), 'utf8') + '\n');
    expect(() => readModelFolder({ path })).toThrow(/config\.json: expected sha256/);
    await writeManifest(path);
    expect(readModelFolder({ path })).toMatchObject({
      id: 'film@1.1',
      thresholds: { negative: { review: 0.5 } },
    });
  });

  it('refuses what cannot be one', async () => {
    await expect(writeManifest(path)).rejects.toThrow(
      /sluice\.yaml: name: expected --name for a new manifest, got nothing$/,
    );
    await expect(writeManifest(path, { name: 'film' })).rejects.toThrow(
      /version: expected --model-version for a new manifest/,
    );
    writeFileSync(join(path, 'sluice.yaml'), 'name: [');
    await expect(writeManifest(path)).rejects.toThrow(/sluice\.yaml: expected YAML, got /);
    writeFileSync(join(path, 'sluice.yaml'), 'name: a\nversion: 1\nlabel: [a]');
    await expect(writeManifest(path)).rejects.toThrow(/unknown key "label"$/);
    await expect(writeManifest(join(path, 'nothing'), { name: 'a', version: '1' })).rejects.toThrow(
      /nothing: expected a model folder, got ENOENT/,
    );
    mkdirSync(join(path, 'empty'));
    await expect(writeManifest(join(path, 'empty'), { name: 'a', version: '1' })).rejects.toThrow(
      /empty: expected the files of a model, got none$/,
    );
  });
});

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MisconfiguredError } from '../errors.ts';
import { checkLabels, labelsOf, parseManifest, readConfig, type ModelFolder } from './model-folder.ts';
import { tokenLimit } from './token-limit.ts';

/** What a folder beside a model on a server says of it; the ONNX file itself is not needed. */
export type TritonFolder = Pick<
  ModelFolder,
  | 'labels'
  | 'activation'
  | 'tokenizer'
  | 'maxTokens'
  | 'padId'
  | 'thresholds'
  | 'languageThresholds'
  | 'languages'
>;

/** Reads `config.json`, and `sluice.yaml` where there is one. Throws MisconfiguredError, one line. */
export function readTritonFolder(path: string): TritonFolder {
  const file = join(path, 'config.json');
  if (!existsSync(file)) throw new MisconfiguredError(`${file}: expected a file, got nothing`);
  const config = readConfig(file);
  const yaml = join(path, 'sluice.yaml');
  const manifest = existsSync(yaml) ? parseManifest(readFileSync(yaml, 'utf8'), yaml) : undefined;
  const { max_tokens: limit, languages = [] } = manifest ?? {};
  const labels = manifest?.labels ?? labelsOf(config, file);
  if (manifest) checkLabels(path, manifest, labels);
  const isMultiLabel = config.problem_type === 'multi_label_classification' || labels.length === 1;
  return {
    labels,
    activation: manifest?.activation ?? (isMultiLabel ? 'sigmoid' : 'softmax'),
    tokenizer: join(path, 'tokenizer.json'),
    maxTokens: tokenLimit(
      path,
      config,
      limit === undefined ? undefined : { tokens: limit, by: 'max_tokens of sluice.yaml' },
    ),
    padId: config.pad_token_id ?? 0,
    thresholds: manifest?.thresholds ?? {},
    languageThresholds: manifest?.language_thresholds ?? {},
    languages: languages.length > 0 ? new Set(languages) : undefined,
  };
}

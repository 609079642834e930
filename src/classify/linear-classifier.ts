import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { MisconfiguredError } from '../errors.ts';
import { checkScores } from './check-scores.ts';
import type { Classifier, Scores } from './classifier.ts';
import { readLinearModel } from './linear-model.ts';
import { checkFiles, checkLabels, labelsOf, readConfig, readManifest } from './model-folder.ts';

const FILE = 'linear.bin';

/** Whether a model folder holds a linear model of hashed n-grams. */
export function isLinearFolder(path: string): boolean {
  return existsSync(join(path, FILE));
}

/**
 * Opens the model folder of a linear model (`linear.bin`, `config.json`, `sluice.yaml`), and checks that it gives the
 * scores that its manifest records. Without tokens: `tokens` is 0, and all of its time is `infer`. Throws
 * MisconfiguredError, one line, when it is damaged or does not do as recorded.
 */
export async function createLinearClassifier(path: string): Promise<Classifier> {
  const file = join(path, FILE);
  const config = readConfig(join(path, 'config.json'));
  const labels = labelsOf(config, join(path, 'config.json'));
  const manifest = readManifest(path, file);
  checkFiles(path, manifest);
  checkLabels(path, manifest, labels);
  if (labels.length > 1 && config.problem_type !== 'multi_label_classification')
    throw new MisconfiguredError(
      `${join(path, 'config.json')}: problem_type: expected multi_label_classification for ${FILE}, got ${config.problem_type ?? 'nothing'}`,
    );
  const model = readLinearModel(file);
  if (model.labels !== labels.length)
    throw new MisconfiguredError(
      `${file}: expected ${labels.length} labels (${labels.join(', ')}), got ${model.labels}`,
    );
  const score = (texts: readonly string[]): Promise<Scores> => {
    const started = performance.now();
    const scores = new Float32Array(texts.length * labels.length);
    for (let row = 0; row < texts.length; row++) model.score(texts[row]!, scores, row * labels.length);
    const seconds = { tokenise: 0, infer: (performance.now() - started) / 1000 };
    return Promise.resolve({ scores, poison: [], tokens: 0, padding: 0, counts: {}, seconds });
  };
  await checkScores({ file, labels, checks: manifest.checks, tolerance: manifest.tolerance }, score);
  return {
    labels,
    model: `${manifest.name}@${manifest.version}`,
    thresholds: manifest.thresholds,
    languageThresholds: manifest.language_thresholds,
    languages: manifest.languages.length > 0 ? new Set(manifest.languages) : undefined,
    score,
    close: () => Promise.resolve(),
  };
}

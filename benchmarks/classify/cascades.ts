import { createCascade } from '../../src/classify/cascade.ts';
import type { Classifier } from '../../src/classify/classifier.ts';
import { resolveModel } from '../../src/classify/config.ts';
import { modelConfig } from '../../src/classify/model-config.ts';
import { readManifest } from '../../src/classify/model-folder.ts';
import { openModel } from '../../src/classify/open-model.ts';
import { join } from 'node:path';
import type { Sample } from '../harness/sample.ts';
import { textsOf } from './texts.ts';

const BATCH = 1024;
/** Texts for a model of which a second scores few. */
const OF_SLOW = 512;

/**
 * The bundled first stage before a model, with its own band, against that model alone: texts per CPU second, and the share
 * that never reached the model. A model with other labels (random weights) takes the place of the bundled one: the same texts
 * reach it.
 */
export async function measureCascade(model: string, path: string | undefined): Promise<Sample> {
  const firstPath = resolveModel('first-stage', process.cwd());
  const first = await openModel(modelConfig.parse({ model: firstPath, duplicates: 'off' }));
  const opened = await openModel(
    modelConfig.parse({ model: resolveModel(model, process.cwd()), duplicates: 'off' }),
  );
  const second = named(opened, first.labels);
  const band = readManifest(firstPath, join(firstPath, 'sluice.yaml')).band!;
  const cascade = createCascade(first, second, band);
  const texts = model === 'default' ? textsOf(path) : textsOf(path).slice(0, OF_SLOW);
  const timed = async (classifier: Classifier) => {
    await classifier.score(texts.slice(0, 64));
    let decided = 0;
    const before = process.cpuUsage();
    for (let row = 0; row < texts.length; row += BATCH)
      decided += (await classifier.score(texts.slice(row, row + BATCH))).counts['first_stage'] ?? 0;
    const { user, system } = process.cpuUsage(before);
    return { seconds: (user + system) / 1e6, decided };
  };
  const [quick, slow, both] = [await timed(first), await timed(second), await timed(cascade)];
  await cascade.close();
  return {
    count: texts.length,
    seconds: both.seconds,
    cpuSeconds: both.seconds,
    more: {
      'decided by the first stage %': (100 * both.decided) / texts.length,
      'times the model alone': slow.seconds / both.seconds,
      'first stage alone, texts/s': texts.length / quick.seconds,
      'model alone, texts/s': texts.length / slow.seconds,
    },
  };
}

/** The model under the labels of the first stage, where it has others: as many columns, the same work. */
function named(model: Classifier, labels: readonly string[]): Classifier {
  if (labels.every((label) => model.labels.includes(label))) return model;
  const width = model.labels.length;
  return {
    ...model,
    labels,
    async score(texts) {
      const scored = await model.score(texts);
      const scores = new Float32Array(texts.length * labels.length);
      for (let row = 0; row < texts.length; row++)
        scores.set(scored.scores.subarray(row * width, row * width + labels.length), row * labels.length);
      return { ...scored, scores };
    },
  };
}

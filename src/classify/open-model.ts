import { MisconfiguredError } from '../errors.ts';
import type { Classifier } from './classifier.ts';
import { createDropClassifier } from './drop.ts';
import { createDuplicateCache } from './duplicate-cache.ts';
import { createLinearClassifier, isLinearFolder } from './linear-classifier.ts';
import { isRemote, type ModelConfig } from './model-config.ts';
import { createModelClassifier } from './model-classifier.ts';
import { readModelFolder } from './model-folder.ts';
import { openCascade } from './open-cascade.ts';
import { openRemote } from './open-remote.ts';

/** What bounds a model. */
export interface OpenLimits {
  /** Longest time that a batch may take in a worker, milliseconds: a server is waited for a part of it only. */
  readonly timeLimit?: number;
}

/**
 * Opens the model that a configuration names: loaded, warmed and checked when it resolves. Throws MisconfiguredError,
 * one line, when it cannot work; UnavailableError when a server that runs it does not answer.
 */
export async function openModel(config: ModelConfig, limits: OpenLimits = {}): Promise<Classifier> {
  const model = await openStages(config, limits);
  if (config.duplicates === 'off' || model.labels.length === 0) return model;
  return createDuplicateCache(model, { bytes: config.duplicates });
}

async function openStages(config: ModelConfig, limits: OpenLimits): Promise<Classifier> {
  const { cascade, ...alone } = config;
  const model = await openAlone(alone, limits);
  if (!cascade) return model;
  // What says which file of a folder to load, or which server has it, is about the second stage.
  const { file: _, precision: __, max_tokens: ___, triton: ____, tei: _____, ...shared } = alone;
  return await openCascade(cascade, model, (path) => openAlone({ ...shared, model: path }, limits));
}

async function openAlone(config: Omit<ModelConfig, 'cascade'>, limits: OpenLimits): Promise<Classifier> {
  const { triton, tei } = config;
  if (triton && tei)
    throw new MisconfiguredError(`expected one server, got triton ${triton.url} and tei ${tei.url}`);
  if (triton) return await openRemote({ triton }, limits);
  if (tei) return await openRemote({ tei }, limits);
  if (config.model === 'drop') return createDropClassifier();
  if (isLinearFolder(config.model)) return await createLinearClassifier(config.model);
  const { model: path, file, precision, max_tokens: maxTokens } = config;
  const folder = readModelFolder({ path, file, precision, maxTokens });
  return await createModelClassifier(folder, config);
}

/** Labels of the model that a configuration names; one in a folder is not loaded for it. Throws like {@link openModel}. */
export async function readLabels(config: ModelConfig): Promise<readonly string[]> {
  const { model: path, file, precision, max_tokens: maxTokens } = config;
  if (!isRemote(config) && path !== 'drop' && !isLinearFolder(path))
    return readModelFolder({ path, file, precision, maxTokens }).labels;
  const classifier = await openStages(config, {});
  await classifier.close();
  return classifier.labels;
}

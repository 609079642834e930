/**
 * Classify: scores texts and decides, on worker threads.
 *
 * In: a DecodedBatch (createClassify, inside a worker), or a RawBatch on the main thread (createPool with
 * classifyWithRetry, which move it to a worker).
 * Out: a VerdictBatch: scores, action and reasons, language for every row, in the order of the rows; poison rows named.
 * Promises: a model takes no row before it is loaded, warmed and reproduces the scores that its folder records; a row's
 * scores are its own, whatever else is in the batch (dynamic int8 models: within 0.02); policies are pure; no thread is
 * ended while a model runs in it.
 * Fails: MisconfiguredError, one line, for a model or a policy that cannot work; a row that makes the model fail is
 * poison, one that kills its worker twice a dead letter; HungError when a worker does not answer in time, and then the
 * process must end by exitNow. Anything else is a bug.
 */
export { createClassify, type Classify, type ClassifyFacts, type ModelFacts } from './classify.ts';
export type { Classifier, Scores } from './classifier.ts';
export {
  cacheDirectory,
  classifyConfig,
  modelsOf,
  resolveModel,
  workerCount,
  type ClassifyConfig,
} from './config.ts';
export { exitNow } from './exit-now.ts';
export { isRemote, modelConfig, type ModelConfig } from './model-config.ts';
export { readModelFolder, type ModelFolder } from './model-folder.ts';
export { resolveModelFolder, type ModelSourceOptions } from './model-source.ts';
export type { ResolvedFolder } from './model-cache.ts';
export { openModel } from './open-model.ts';
export { labelsOf } from './open-models.ts';
export { openModels } from './open-models.ts';
export { hashOf, normalise } from './normalise.ts';
export { readHashList } from './hash-list.ts';
export { createPolicies, UNSUPPORTED_LANGUAGE, type Policies } from './policy.ts';
export { policiesConfig, type PoliciesConfig } from './policy-config.ts';
export type { ModelThresholds } from './policy-levels.ts';
export { createPool, type Pool, type PoolOptions } from './pool.ts';
export { classifyWithRetry, type OnWorkerDied } from './retry.ts';
export { batchBuffers, splitBatch } from './split-batch.ts';
export { task } from './task.ts';
export { writeManifest, type ManifestChanges } from './write-manifest.ts';

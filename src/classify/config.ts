import { availableParallelism, homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { isObjectUrl } from '../object-files.ts';
import { s3ConnectionConfig } from '../s3-connection-config.ts';
import { duration, timeLimit } from '../units.ts';
import { hashListsConfig } from './hash-list-config.ts';
import { modelConfig, type ModelConfig } from './model-config.ts';
import { isForOneThread, isGpu, preferredProviders, type Provider } from './provider.ts';
import { policiesConfig } from './policy-config.ts';
import { routedModelConfig, type RoutedModelConfig } from './routed-model-config.ts';

const objectSchema = z.strictObject({
  ...modelConfig.shape,
  models: z
    .record(
      // Not a digit first: such keys of an object lose their order.
      z
        .string()
        .regex(
          /^[a-z][a-z0-9_-]{0,62}$/,
          'expected a letter, then lower-case letters, digits, - and _, 63 at most',
        ),
      routedModelConfig,
    )
    .describe('Several models by a name of yours, in order, instead of `model`; docs/several-models.md')
    .default({}),
  reload: z
    .union([z.literal('off'), timeLimit()])
    .describe(
      'How often to look for new versions of models, policies and hash lists, which take over without a restart; or `off`',
    )
    .prefault('30s'),
  s3: s3ConnectionConfig
    .describe(
      'How S3 is reached for models, policies and hash lists; else as `archive.store` of type s3 says',
    )
    .optional(),
  cache: z
    .string()
    .min(1)
    .describe('Folder for what is downloaded from S3; else sluice in XDG_CACHE_HOME or ~/.cache')
    .optional(),
  workers: z
    .union([z.literal('auto'), z.int().min(1).max(256)])
    .describe(
      'Worker threads, each with its own session of one thread; `auto` is one per core, 2 when a model runs on a GPU, 1 with webgpu',
    )
    .default('auto'),
  time_limit: duration()
    .describe('Longest time one batch may take in a worker; over it the process stops without committing')
    .prefault('60s'),
  language: z
    .enum(['detect', 'off'])
    .describe('Whether to detect the language of messages that name none (not done with model `drop`)')
    .default('detect'),
  policies: policiesConfig
    .describe('Policies by customer id; `default` is for all other customers; docs/policies.md')
    .default({}),
  policies_from: z
    .string()
    .min(1)
    .describe('YAML file with the map of `policies`, instead of it: a path, or s3://bucket/key')
    .optional(),
  hash_lists: hashListsConfig
    .describe('Known bad content, by a name of yours: decided at once, by the hash of the normalised text')
    .default({}),
});

/** The `classify` piece of the configuration: model, threads, batching, policies. */
export const classifyConfig = objectSchema.superRefine((config, context) => {
  refuseThreads(config, context);
  const { policies, policies_from: from, models } = config;
  const stray = Object.keys(models).length > 0 ? firstOfOneModel(config) : undefined;
  if (stray !== undefined)
    context.addIssue({
      code: 'custom',
      path: [stray],
      message: `expected one model here or several in \`models\`, got \`${stray}\` beside \`models\``,
    });
  if (from === undefined || Object.keys(policies).length === 0) return;
  context.addIssue({
    code: 'custom',
    path: ['policies_from'],
    message: 'expected policies here or in a file of their own, got `policies` beside `policies_from`',
  });
});

/** The classify configuration after checks: durations in milliseconds, defaults filled in. */
export type ClassifyConfig = z.infer<typeof classifyConfig>;

/** A provider for one thread allows one worker, and no new one beside it while a reload loads. */
function refuseThreads(config: z.infer<typeof objectSchema>, context: z.RefinementCtx): void {
  const name = providersOf(config).find((providers) => isForOneThread(providers));
  if (!name) return;
  const because = `with execution_provider ${name.join(', ')}: a second thread that uses webgpu would crash the process`;
  if (config.workers !== 'auto' && config.workers > 1)
    context.addIssue({ code: 'custom', path: ['workers'], message: `expected auto or 1 ${because}` });
  if (config.reload !== 'off')
    context.addIssue({ code: 'custom', path: ['reload'], message: `expected off ${because}` });
}

/** The providers of each configured model. */
function providersOf(config: ClassifyConfig): (readonly Provider[])[] {
  return modelsOf(config).map(({ config: model }) => preferredProviders(model.execution_provider));
}

/** A key of the one model that is not at its default. */
function firstOfOneModel(config: ModelConfig): string | undefined {
  const defaults = modelConfig.parse({});
  return Object.keys(modelConfig.shape).find((key) => {
    const name = key as keyof ModelConfig;
    return JSON.stringify(config[name]) !== JSON.stringify(defaults[name]);
  });
}

/**
 * The configured models in their order: those of `models`, else the one that the keys beside it describe, named `main`, which
 * takes everything that it can judge.
 */
export function modelsOf(
  config: ClassifyConfig,
): { readonly name: string; readonly config: RoutedModelConfig }[] {
  const several = Object.entries(config.models).map(([name, model]) => ({ name, config: model }));
  if (several.length > 0) return several;
  const keys = Object.keys(modelConfig.shape);
  const one = Object.fromEntries(Object.entries(config).filter(([key]) => keys.includes(key)));
  return [{ name: 'main', config: { ...(one as ModelConfig), role: 'decide', share: 1 } }];
}

/** Names of the model folders that come with Sluice. */
const BUNDLED = ['default', 'sentiment', 'first-stage'];

/**
 * What `classify.model` names: `drop` and `s3://…` as they are, `default`, `sentiment` and `first-stage` as the bundled folders, any other path absolute, taken
 * relative to `directory` (the configuration file's). Absolute paths stay, so resolving twice does no harm.
 */
export function resolveModel(model: string, directory: string): string {
  if (model === 'drop' || isObjectUrl(model)) return model;
  return BUNDLED.includes(model)
    ? resolve(import.meta.dirname, '../../models', model)
    : resolve(directory, model);
}

/** A model's configuration with absolute paths; see {@link resolveModel}. */
export function resolveModelPaths<Config extends ModelConfig>(config: Config, directory: string): Config {
  const { model, cascade, triton } = config;
  return {
    ...config,
    model: resolveModel(model, directory),
    ...(cascade ? { cascade: { ...cascade, first: resolveModel(cascade.first, directory) } } : {}),
    ...(triton?.folder ? { triton: { ...triton, folder: resolve(directory, triton.folder) } } : {}),
  };
}

/** The paths of policies and hash lists, absolute like {@link resolveModel}'s; `s3://…` as they are. */
export function resolvePolicyPaths(
  { policies_from: from, hash_lists: lists }: ClassifyConfig,
  directory: string,
): Pick<ClassifyConfig, 'policies_from' | 'hash_lists'> {
  const at = (path: string) => (isObjectUrl(path) ? path : resolve(directory, path));
  return {
    ...(from === undefined ? {} : { policies_from: at(from) }),
    hash_lists: Object.fromEntries(
      Object.entries(lists).map(([name, list]) => [name, { ...list, file: at(list.file) }]),
    ),
  };
}

/**
 * Number of worker threads that `classify.workers` means on this machine: `auto` is one per core, and two when a model runs on a
 * GPU, one of which prepares texts while the other waits for it; one where no two threads may use it.
 */
export function workerCount(config: ClassifyConfig): number {
  if (config.workers !== 'auto') return config.workers;
  const all = providersOf(config);
  if (all.some((providers) => isForOneThread(providers))) return 1;
  return all.some(([first]) => isGpu(first!)) ? 2 : availableParallelism();
}

/** Folder for downloads that `classify.cache` means on this machine. */
export function cacheDirectory(cache: ClassifyConfig['cache']): string {
  return cache ?? join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'sluice');
}

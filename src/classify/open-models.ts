import { MisconfiguredError } from '../errors.ts';
import type { AssignedModel } from './assign-rows.ts';
import { checkModels } from './check-models.ts';
import type { Classifier } from './classifier.ts';
import { modelsOf, resolveModelPaths, type ClassifyConfig } from './config.ts';
import { normaliseTag } from './language-tag.ts';
import { isRemote } from './model-config.ts';
import { openModel, readLabels } from './open-model.ts';
import type { RoutedModelConfig } from './routed-model-config.ts';

/** A configured model, loaded. */
export interface OpenedModel extends AssignedModel {
  readonly classifier: Classifier;
  /** `name@version` */
  readonly id: string;
  /** Whether scoring waits for a server instead of holding this thread. */
  readonly isRemote: boolean;
}

/** The configured models of one thread, in their order. */
export interface OpenedModels {
  readonly models: readonly OpenedModel[];
  /** Frees them. */
  close(): Promise<void>;
}

/**
 * Opens all models that a configuration names, one after the other; equal ones are loaded once. Those that score nothing
 * (`drop`) are left out. Throws MisconfiguredError, with the name of the model where there are several, when one cannot work or
 * they cannot work together; nothing stays open then.
 */
export async function openModels(config: ClassifyConfig): Promise<OpenedModels> {
  const opened = new Map<string, Classifier>();
  const close = async () => {
    for (const classifier of opened.values()) await classifier.close();
  };
  const isOne = Object.keys(config.models).length === 0;
  try {
    const models: OpenedModel[] = [];
    for (const { name, config: model } of modelsOf(config)) {
      const { role, languages: _, share, ...own } = resolveModelPaths(model, process.cwd());
      const key = JSON.stringify(own);
      const classifier =
        opened.get(key) ??
        (await naming(isOne ? undefined : name, () => openModel(own, { timeLimit: config.time_limit })));
      opened.set(key, classifier);
      if (classifier.model === null) continue;
      models.push({
        name,
        role,
        share,
        labels: classifier.labels,
        languages: languagesOf(model, classifier),
        judges: judges(classifier, config),
        classifier,
        id: classifier.model,
        isRemote: isRemote(own),
      });
    }
    checkModels(models);
    return { models, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/**
 * Labels of all models that decide, in the order of the score columns, with as little loading as that takes. Throws like
 * {@link openModels}.
 */
export async function labelsOf(config: ClassifyConfig): Promise<string[]> {
  const labels = new Set<string>();
  for (const { config: model } of modelsOf(config)) {
    if (model.role === 'shadow') continue;
    for (const label of await readLabels(resolveModelPaths(model, process.cwd()))) labels.add(label);
  }
  return [...labels];
}

async function naming(name: string | undefined, open: () => Promise<Classifier>): Promise<Classifier> {
  try {
    return await open();
  } catch (error) {
    if (name === undefined || !(error instanceof MisconfiguredError)) throw error;
    throw new MisconfiguredError(`classify.models.${name}: ${error.message}`, { cause: error });
  }
}

/** What the configuration says, else the model's own and what may be one of them. */
function languagesOf({ languages }: RoutedModelConfig, classifier: Classifier): Set<string> | undefined {
  if (languages?.includes('*')) return undefined;
  if (languages) return new Set(languages.map(normaliseTag));
  return classifier.languages && new Set([...[...classifier.languages].map(normaliseTag), 'und']);
}

/** Whether the model itself or any policy has a threshold for one of its labels. */
function judges(classifier: Classifier, { policies }: ClassifyConfig): boolean {
  const levels = Object.values(policies).flatMap((policy) => [policy, ...Object.values(policy.languages)]);
  const maps = [
    classifier.thresholds,
    ...Object.values(classifier.languageThresholds),
    ...levels.map(({ labels }) => labels),
  ];
  return classifier.labels.some((label) =>
    maps.some((map) => {
      const level = Object.hasOwn(map, label) ? map[label] : undefined;
      return level?.review !== undefined || level?.block !== undefined;
    }),
  );
}

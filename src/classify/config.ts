import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { z } from 'zod';
import { duration } from '../units.ts';

const probability = () => z.number().min(0).max(1);

/** A version: text, or a number as YAML reads an unquoted one. */
export const version = () =>
  z.union([z.string().min(1), z.number()], { error: 'expected a version' }).transform(String);

/** Probabilities at and above which a label asks for review, or blocks; an absent level is never reached. */
export const thresholdsSchema = z.strictObject({
  review: probability().describe('Probability at and above which the label sends a row to review').optional(),
  block: probability().describe('Probability at and above which the label blocks a row').optional(),
});

/** One label's thresholds: `{ review?, block? }`, probabilities 0..1. */
export type Thresholds = z.infer<typeof thresholdsSchema>;

const policySchema = z.strictObject({
  name: z.string().min(1).describe('Name of the policy, recorded with each decision').optional(),
  version: version().describe('Version of the policy, recorded with each decision').optional(),
  labels: z
    .record(z.string(), thresholdsSchema)
    .describe("Thresholds by label; a label not named here keeps the default policy's, then the model's")
    .default({}),
  quiet: z.array(z.string()).describe('Labels that are scored but never decide').default([]),
});

/** One policy as the configuration gives it. */
export type PolicyConfig = z.infer<typeof policySchema>;

/** The `classify` piece of the configuration: model, threads, batching, policies. */
export const classifyConfig = z.strictObject({
  model: z
    .string()
    .min(1)
    .describe(
      'Model folder (Hugging Face export layout), `default` for the bundled one, or `drop` to score nothing',
    )
    .default('default'),
  file: z
    .string()
    .min(1)
    .describe(
      'ONNX file below the model folder, such as `onnx/model_int8.onnx`; else onnx/model.onnx or model.onnx',
    )
    .optional(),
  execution_provider: z.enum(['cpu']).describe('Where the model runs').default('cpu'),
  workers: z
    .union([z.literal('auto'), z.int().min(1).max(256)])
    .describe('Worker threads, each with its own session of one thread; `auto` is one per core')
    .default('auto'),
  batch_tokens: z
    .int()
    .min(1)
    .describe('Most tokens in one run of the model: longest text of the batch times its count')
    .default(1024),
  sort_window: z
    .int()
    .min(1)
    .describe('Texts that are sorted by length together, to save padding')
    .default(1024),
  max_tokens: z
    .int()
    .min(8)
    .describe("Tokens of a text that the model reads, the rest is cut off; else the model folder's own limit")
    .optional(),
  time_limit: duration()
    .describe('Longest time one batch may take in a worker; over it the process stops without committing')
    .prefault('60s'),
  language: z
    .enum(['detect', 'off'])
    .describe('Whether to detect the language of messages that name none (not done with model `drop`)')
    .default('detect'),
  policies: z
    .record(z.string(), policySchema)
    .describe('Policies by customer id; `default` is for all other customers')
    .default({}),
});

/** The classify configuration after checks: durations in milliseconds, defaults filled in. */
export type ClassifyConfig = z.infer<typeof classifyConfig>;

const BUNDLED = resolve(import.meta.dirname, '../../models/default');

/**
 * What `classify.model` names: `drop` as it is, `default` as the bundled folder, any other path absolute, taken
 * relative to `directory` (the configuration file's). Absolute paths stay, so resolving twice does no harm.
 */
export function resolveModel(model: string, directory: string): string {
  if (model === 'drop') return model;
  return model === 'default' ? BUNDLED : resolve(directory, model);
}

/** Number of worker threads that `classify.workers` means on this machine. */
export function workerCount(workers: ClassifyConfig['workers']): number {
  return workers === 'auto' ? availableParallelism() : workers;
}

import { z } from 'zod';
import { bandSchema } from './band.ts';
import { thresholdsSchema, version } from './thresholds.ts';

/** `sluice.yaml` of a model folder: what the Hugging Face files do not say. */
export const manifestSchema = z.strictObject({
  name: z.string().min(1),
  version: version(),
  max_tokens: z.int().min(8).optional(),
  // Where there is no config.json, or its names say nothing: those of the outputs, in their order.
  labels: z.array(z.string().min(1)).min(1).optional(),
  activation: z.enum(['sigmoid', 'softmax', 'none']).optional(),
  languages: z.array(z.string()).default([]),
  thresholds: z.record(z.string(), thresholdsSchema).default({}),
  language_thresholds: z.record(z.string(), z.record(z.string(), thresholdsSchema)).default({}),
  checks: z
    .array(z.strictObject({ text: z.string(), scores: z.record(z.string(), z.number().min(0).max(1)) }))
    .default([]),
  tolerance: z.number().min(0).max(1).default(0.05),
  // As the first stage of a cascade.
  band: bandSchema.optional(),
  files: z
    .record(z.string(), z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 hex digits (SHA-256)'))
    .default({}),
});

/** A checked `sluice.yaml`. */
export type ModelManifest = z.infer<typeof manifestSchema>;

/** What Sluice reads of a Hugging Face `config.json`; other keys are left alone. */
export const huggingFaceSchema = z.looseObject({
  model_type: z.string().nullish(),
  id2label: z.record(z.string(), z.string().min(1)),
  problem_type: z.enum(['single_label_classification', 'multi_label_classification']).nullish(),
  max_position_embeddings: z.int().min(1).nullish(),
  pad_token_id: z.int().min(0).nullish(),
});

/** A checked `config.json`. */
export type HuggingFaceConfig = z.infer<typeof huggingFaceSchema>;

/** The first problem of a zod error on one line: `path: expected …, got …`. */
export function firstProblem(error: z.ZodError): string {
  const issue = error.issues[0]!;
  const at = issue.path.length > 0 ? `${issue.path.join('.')}: ` : '';
  if (issue.code === 'unrecognized_keys')
    return `${at}unknown key ${issue.keys.map((key) => JSON.stringify(key)).join(', ')}`;
  const got = issue.input === undefined ? 'nothing' : JSON.stringify(issue.input);
  if (issue.code === 'invalid_type') return `${at}expected ${issue.expected}, got ${got}`;
  if (issue.code === 'invalid_value')
    return `${at}expected ${issue.values.map(String).join(' or ')}, got ${got}`;
  return `${at}${issue.message}, got ${got}`;
}

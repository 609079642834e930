import { z } from 'zod';
import { ACTIONS } from '../types.ts';
import { normaliseTag } from './language-tag.ts';
import { thresholdsSchema, version } from './thresholds.ts';

const levels = {
  labels: z
    .record(z.string(), thresholdsSchema)
    .describe("Thresholds by label; a label not named here keeps the default policy's, then the model's")
    .default({}),
  quiet: z.array(z.string()).describe('Labels that are scored but never decide').default([]),
};

const languages = z
  .record(
    z
      .string()
      .regex(/^[A-Za-z]{2,8}(?:[-_][A-Za-z0-9]{1,8})*$/, 'expected a BCP 47 tag such as `de` or `ta-Latn`'),
    z.strictObject(levels),
  )
  .superRefine((value, context) => {
    const seen = new Map<string, string>();
    for (const tag of Object.keys(value)) {
      const before = seen.get(normaliseTag(tag));
      if (before !== undefined)
        context.addIssue({
          code: 'custom',
          path: [tag],
          message: `expected each language once, got ${before} and ${tag}`,
        });
      seen.set(normaliseTag(tag), tag);
    }
  })
  .describe(
    'What is different for a language, by BCP 47 tag; `ta` holds for `ta-Latn` too, where that has no own',
  )
  .default({});

/** One customer's policy, or the default one. */
export const policyConfig = z.strictObject({
  name: z.string().min(1).describe('Name of the policy, recorded with each decision').optional(),
  version: version().describe('Version of the policy, recorded with each decision').optional(),
  ...levels,
  languages,
  unsupported_language: z
    .enum(ACTIONS)
    .describe(
      'What is done with rows in a language that no model judges; else what the default policy says, else `allow`',
    )
    .optional(),
});

/** One policy as the configuration gives it. */
export type PolicyConfig = z.infer<typeof policyConfig>;

/** Policies by customer id: `classify.policies`, and the content of a policy file. */
export const policiesConfig = z.record(z.string(), policyConfig);

/** See {@link policiesConfig}. */
export type PoliciesConfig = z.infer<typeof policiesConfig>;

import { z } from 'zod';
import { modelConfig } from './model-config.ts';

const percentage = ({ input }: { readonly input?: unknown }) =>
  `expected a percentage such as 5%, got ${JSON.stringify(input)}`;

const share = () =>
  z
    .string({ error: percentage })
    .regex(/^(?:100|\d{1,2}(?:\.\d{1,4})?)%$/, { error: percentage })
    .transform((text) => Number(text.slice(0, -1)) / 100);

/** One of several models: what it is, and which rows it takes; docs/several-models.md has the rule. */
export const routedModelConfig = z.strictObject({
  ...modelConfig.shape,
  role: z
    .enum(['decide', 'shadow'])
    .describe('`shadow`: scores what it would take, decides nothing; its scores are archived beside')
    .default('decide'),
  languages: z
    .array(
      z
        .string()
        .regex(
          /^(?:\*|[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*)$/,
          'expected a BCP 47 tag such as `de`, or `und`, or `*`',
        ),
    )
    .min(1)
    .describe(
      'Languages whose rows it takes, `und` for rows whose language is not known, `*` for all; else those that the model says, unknown ones, and if it says none all',
    )
    .optional(),
  share: share()
    .describe(
      'Part of the rows that it takes, such as `5%`: always the same users, and growing it only adds some',
    )
    .prefault('100%'),
});

/** See {@link routedModelConfig}; `share` is 0 to 1. */
export type RoutedModelConfig = z.infer<typeof routedModelConfig>;

import { z } from 'zod';
import { bandSchema } from './band.ts';

/** A first stage before a model. */
export const cascadeConfig = z.strictObject({
  first: z
    .string()
    .min(1)
    .describe(
      'Model folder of the first stage, or `first-stage` for the bundled one, made for the model `default`',
    ),
  band: bandSchema
    .describe(
      "By label `[low, high]`: texts with a score in between go on to the model; else the first stage's own, from its `sluice.yaml`",
    )
    .optional(),
});

/** The first stage of a cascade as the configuration gives it. */
export type CascadeConfig = z.infer<typeof cascadeConfig>;

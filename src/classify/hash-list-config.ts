import { z } from 'zod';
import { UNSUPPORTED_LANGUAGE } from './policy.ts';

/** One list of known content. */
export const hashListConfig = z.strictObject({
  file: z
    .string()
    .min(1)
    .describe(
      'Text file with the SHA-256 of a normalised text on each line, as `sluice hash` writes it: a path, or s3://bucket/key',
    ),
  action: z
    .enum(['review', 'block'])
    .describe('What is done with a text on the list, at once: it is not scored'),
  customers: z
    .array(z.string().min(1))
    .min(1)
    .describe('Customers for which the list holds; else for all')
    .optional(),
});

/** Lists by a name of yours, which is the reason of the rows that they decide. */
export const hashListsConfig = z.record(
  z
    .string()
    .regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, 'expected lower-case letters, digits, - and _')
    .refine((name) => name !== UNSUPPORTED_LANGUAGE, 'expected another name: this is a reason of its own'),
  hashListConfig,
);

/** See {@link hashListsConfig}. */
export type HashListsConfig = z.infer<typeof hashListsConfig>;

import { z } from 'zod';
import { filterConfig } from './filter.ts';

/** The `kafka` member of the sinks' configuration. */
export const kafkaSinkConfig = z.strictObject({
  type: z.literal('kafka').describe('A topic with one record for each decision; `kafka:` says where'),
  topic: z
    .string()
    .regex(/^[a-zA-Z0-9._-]{1,249}$/, 'expected a topic name: letters, digits, dots, dashes')
    .describe('Topic of the decisions; create it first'),
  text: z.boolean().describe('Whether decisions carry the text that was moderated').default(false),
  ...filterConfig,
});

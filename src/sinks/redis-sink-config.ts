import { z } from 'zod';
import { duration, timeLimit } from '../units.ts';
import { scoresFilterConfig } from './scores-filter.ts';

/** The `redis` member of the sinks' configuration. Durations in milliseconds once parsed. */
export const redisSinkConfig = z.strictObject({
  type: z.literal('redis').describe('Newest score of each content, as a hash in Redis or Valkey'),
  url: z
    .url({ protocol: /^rediss?$/, error: 'expected a URL such as redis://localhost:6379/0' })
    .describe(
      'Server as redis://user:password@host:port/database, rediss:// for TLS; write ${NAME} to take it from the environment',
    ),
  cluster: z
    .boolean()
    .describe('Whether `url` is one node of a Redis Cluster; the others are found by it')
    .default(false),
  prefix: z
    .string()
    .max(200)
    .describe('What all keys begin with; after it come customer, `:` and content id')
    .default('sluice:score:'),
  ttl: duration()
    .refine((ms) => ms >= 1000, 'expected 1s or more')
    .describe('How long a score stays after it was written; else until somebody deletes it')
    .optional(),
  connect_timeout: timeLimit().describe('Longest wait for a connection').prefault('5s'),
  ...scoresFilterConfig,
});

/** The `redis` member of the sinks' configuration after checks. */
export type RedisSinkConfig = z.infer<typeof redisSinkConfig>;

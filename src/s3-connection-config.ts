import { z } from 'zod';
import { timeLimit } from './units.ts';

/** The members of a configuration that say how S3, or a server with the same interface, is reached. */
export const s3ConnectionFields = {
  region: z
    .string()
    .min(1)
    .describe("The bucket's region; else that of the environment (AWS_REGION, the profile)")
    .optional(),
  endpoint: z
    .url({ protocol: /^https?$/, error: 'expected a URL such as http://localhost:7070' })
    .describe('Address of a server other than Amazon S3')
    .optional(),
  path_style: z
    .boolean()
    .describe('Name the bucket in the path of requests, not in the host name: most S3 clones need it')
    .default(false),
  connections: z
    .int()
    .min(1)
    .max(1024)
    .describe('Most requests at a time, each on a connection of its own')
    .default(32),
  connect_timeout: timeLimit()
    .describe('Longest wait for a connection; then the request is tried again')
    .prefault('5s'),
  idle_timeout: timeLimit()
    .describe('Longest silence of a server within a request; then the request is tried again')
    .prefault('30s'),
};

/** How S3 is reached, as a section of its own. Durations in milliseconds once parsed. */
export const s3ConnectionConfig = z.strictObject(s3ConnectionFields);

/** How S3 is reached, after checks. Credentials never stand in it: they come by the standard chain. */
export type S3ConnectionConfig = z.infer<typeof s3ConnectionConfig>;

/** How S3 is reached, out of a configuration that says more. */
export function connectionOf(config: S3ConnectionConfig): S3ConnectionConfig {
  const { region, endpoint, path_style, connections, connect_timeout, idle_timeout } = config;
  return {
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint }),
    path_style,
    connections,
    connect_timeout,
    idle_timeout,
  };
}

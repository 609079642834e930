import { z } from 'zod';
import { timeLimit } from '../units.ts';
import { scoresFilterConfig } from './scores-filter.ts';

/** Name of the table in DDL and configuration where none is given. */
export const POSTGRES_TABLE = 'sluice_scores';

/** A table's name: `table` or `schema.table`, each part as it stands in the catalog, without quotes. */
export const postgresTableName = z
  .string()
  .regex(/^[^."\0]{1,63}(\.[^."\0]{1,63})?$/, 'expected table or schema.table, without quotes');

/** The `postgres` member of the sinks' configuration. Durations in milliseconds once parsed. */
export const postgresSinkConfig = z.strictObject({
  type: z.literal('postgres').describe('Newest score of each content, as a row in PostgreSQL'),
  url: z
    .url({
      protocol: /^postgres(ql)?$/,
      error: 'expected a URL such as postgres://user@localhost:5432/moderation',
    })
    .describe(
      'Server as postgres://user:password@host:port/database; write ${NAME} to take it from the environment. `?sslmode=verify-full` for TLS, `&sslrootcert=/file.pem` for a private authority',
    ),
  table: postgresTableName
    .describe('Table of the scores, also as schema.table; `sluice schema --postgres` prints its DDL')
    .default(POSTGRES_TABLE),
  connections: z.int().min(1).max(32).describe('Most connections of this process').default(2),
  connect_timeout: timeLimit().describe('Longest wait for a connection').prefault('5s'),
  statement_timeout: timeLimit()
    .describe('After which the server ends a statement; then it is tried again')
    .prefault('20s'),
  ...scoresFilterConfig,
});

/** The `postgres` member of the sinks' configuration after checks. */
export type PostgresSinkConfig = z.infer<typeof postgresSinkConfig>;

import type { z } from 'zod';
import { MisconfiguredError } from '../errors.ts';
import { indexTemplate } from './elasticsearch-index.ts';
import { ELASTICSEARCH_INDEX, elasticsearchIndexName } from './elasticsearch-sink-config.ts';
import { POSTGRES_TABLE, postgresTableName } from './postgres-sink-config.ts';
import { postgresDdl } from './postgres-table.ts';

/** Flags of `sluice schema` for what a receiver must have before it is told anything; `true`: by its default name. */
export interface ReceiverFlags {
  readonly postgres?: string | true;
  readonly elasticsearch?: string | true;
}

/** DDL of a table of scores, or an index template, as text; undefined without a flag. Throws MisconfiguredError for a name. */
export function receiverSchema({ postgres, elasticsearch }: ReceiverFlags): string | undefined {
  if (postgres !== undefined)
    return postgresDdl(nameOf('--postgres', postgres, POSTGRES_TABLE, postgresTableName));
  if (elasticsearch === undefined) return undefined;
  const index = nameOf('--elasticsearch', elasticsearch, ELASTICSEARCH_INDEX, elasticsearchIndexName);
  return JSON.stringify(indexTemplate(index), null, 2);
}

function nameOf(flag: string, given: string | true, standard: string, schema: z.ZodType<string>): string {
  const result = schema.safeParse(given === true ? standard : given);
  if (result.success) return result.data;
  throw new MisconfiguredError(`${flag}: ${result.error.issues[0]!.message}, got ${JSON.stringify(given)}`);
}

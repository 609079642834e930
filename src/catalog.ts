import { applyToGlue, type CatalogTableOptions, type GlueResult } from './archive/index.ts';
import { readModelFolder } from './classify/index.ts';
import { configFrom, loadConfig, type Config } from './config.ts';
import { MisconfiguredError } from './errors.ts';

/** Flags of the commands that are about the table over an archive: `schema --athena` and `glue apply`. */
export interface CatalogFlags {
  /** YAML file whose labels, partitions and store count; without it: those of the defaults. */
  readonly config?: string;
  /** S3 URI of the archive; default: the configuration's S3 store. */
  readonly location?: string;
  readonly table?: string;
  readonly since?: string;
}

/** Flags of `sluice glue apply`. */
export interface GlueFlags extends CatalogFlags {
  readonly database: string;
  readonly createDatabase: boolean;
  readonly region?: string;
  readonly endpoint?: string;
  readonly dryRun?: boolean;
  readonly force?: boolean;
}

/** The table over the archive that flags and configuration describe; `location` is undefined where neither names it. */
export function tableOf(
  flags: CatalogFlags,
): Omit<CatalogTableOptions, 'location'> & { readonly location: string | undefined } {
  const { classify, archive } = flags.config
    ? loadConfig(flags.config)
    : configFrom({ source: { type: 'file', inputs: ['-'] } });
  const labels =
    classify.model === 'drop' ? [] : readModelFolder({ path: classify.model, file: classify.file }).labels;
  return {
    location: flags.location ?? locationOf(archive.store),
    table: flags.table,
    partitionBy: archive.partition_by,
    labels,
    since: flags.since,
  };
}

/** `sluice glue apply`: throws as {@link applyToGlue} does, and MisconfiguredError when nothing says where the archive is. */
export function glueApply(flags: GlueFlags): Promise<GlueResult> {
  const { location, ...table } = tableOf(flags);
  if (location === undefined) {
    throw new MisconfiguredError(
      `expected --location s3://BUCKET/PREFIX/, or --config with a file whose archive.store is of type s3 and names a bucket${flags.config ? `; that of ${flags.config} does not` : ''}`,
    );
  }
  return applyToGlue({
    ...table,
    location,
    database: flags.database,
    createDatabase: flags.createDatabase,
    region: flags.region,
    endpoint: flags.endpoint,
    dryRun: flags.dryRun,
    force: flags.force,
  });
}

/** Root of an archive on S3. A table cannot lie at the ARN of an access point: its alias goes into --location. */
function locationOf(store: Config['archive']['store']): string | undefined {
  return store.type === 's3' && !store.bucket.startsWith('arn:')
    ? `s3://${store.bucket}/${store.prefix}`
    : undefined;
}

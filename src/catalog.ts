import { applyToGlue, type CatalogTableOptions } from './archive/index.ts';
import { labelsOf } from './classify/index.ts';
import { configFrom, loadConfig, type Config } from './config.ts';
import { MisconfiguredError } from './errors.ts';
import { resolveClassify } from './resolve-classify.ts';

/** Flags of the commands that are about the tables over an archive: `schema --athena` and `glue apply`. */
export interface CatalogFlags {
  /** YAML file whose labels, partitions, store and feedback count; without it: those of the defaults. */
  readonly config?: string;
  /** S3 URI of the archive; default: the configuration's S3 store. */
  readonly location?: string;
  /** Name of the table of content; default `content`. */
  readonly table?: string;
  /** Name of the table of feedback; default `feedback`. */
  readonly feedbackTable?: string;
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

/** A table over an archive; `location` is undefined where nothing names it. */
type DescribedTable = Omit<CatalogTableOptions, 'location'> & { readonly location: string | undefined };

/**
 * The tables over the archive that flags and configuration describe: that of content, and that of feedback where a topic of
 * it is configured. Throws MisconfiguredError when both would have one name.
 */
export async function tablesOf(flags: CatalogFlags): Promise<DescribedTable[]> {
  const { classify, archive, feedback } = flags.config
    ? loadConfig(flags.config)
    : configFrom({ source: { type: 'file', inputs: ['-'] } });
  const labels = await labelsOf((await resolveClassify(classify)).config);
  const shared = {
    location: flags.location ?? locationOf(archive.store),
    partitionBy: archive.partition_by,
    since: flags.since,
  };
  const content: DescribedTable = { ...shared, of: 'content', table: flags.table, labels };
  if (!feedback) return [content];
  const { table = 'content', feedbackTable = 'feedback' } = flags;
  if (table === feedbackTable) {
    throw new MisconfiguredError(
      `--feedback-table: expected another name than that of the table of content, got ${table}`,
    );
  }
  return [content, { ...shared, of: 'feedback', table: feedbackTable }];
}

/**
 * `sluice glue apply`, one table after the other; the lines of all of them. Throws as {@link applyToGlue} does, and
 * MisconfiguredError when nothing says where the archive is.
 */
export async function glueApply(flags: GlueFlags): Promise<string[]> {
  const lines: string[] = [];
  for (const { location, ...table } of await tablesOf(flags)) {
    if (location === undefined) {
      throw new MisconfiguredError(
        `expected --location s3://BUCKET/PREFIX/, or --config with a file whose archive.store is of type s3 and names a bucket${flags.config ? `; that of ${flags.config} does not` : ''}`,
      );
    }
    const result = await applyToGlue({
      ...table,
      location,
      database: flags.database,
      createDatabase: flags.createDatabase,
      region: flags.region,
      endpoint: flags.endpoint,
      dryRun: flags.dryRun,
      force: flags.force,
    });
    lines.push(...result.lines);
  }
  return lines;
}

/** Root of an archive on S3. A table cannot lie at the ARN of an access point: its alias goes into --location. */
function locationOf(store: Config['archive']['store']): string | undefined {
  return store.type === 's3' && !store.bucket.startsWith('arn:')
    ? `s3://${store.bucket}/${store.prefix}`
    : undefined;
}

import type * as Glue from '@aws-sdk/client-glue';
import { MisconfiguredError } from '../errors.ts';
import { checkCatalogNames } from './catalog-names.ts';
import { catalogTable, type CatalogTable, type CatalogTableOptions } from './catalog-table.ts';
import { glueError } from './glue-error.ts';
import { tableChange } from './table-change.ts';

/** Where and how the table is applied. Credentials come by the standard chain. */
export interface GlueOptions extends CatalogTableOptions {
  readonly database: string;
  /** Default: that of the environment (AWS_REGION, the profile). */
  readonly region?: string | undefined;
  /** URL of another server than the region's. */
  readonly endpoint?: string | undefined;
  /** Whether a missing database is made; default true. */
  readonly createDatabase?: boolean | undefined;
  /** Makes also those changes by which readers could lose something. */
  readonly force?: boolean | undefined;
  /** Only says what would be done. */
  readonly dryRun?: boolean | undefined;
}

/** What `applyToGlue` did, or would do. */
export interface GlueResult {
  readonly outcome: 'created' | 'updated' | 'unchanged';
  /** For people: a line for the database and the table, one for each change, one for what they should know. */
  readonly lines: readonly string[];
}

/** Silence in milliseconds after which a connection or a request counts as lost. */
const CONNECT_TIMEOUT = 5_000;
const REQUEST_TIMEOUT = 30_000;

/**
 * Creates or updates the archive's table in the Glue catalog, from the same definition as Athena's DDL. Nothing is sent
 * when the table is as it should be. Throws MisconfiguredError when a change is not additive (unless forced), when the
 * table is of another kind, or when AWS refuses; RetryableError when the same call may work later.
 */
export async function applyToGlue(options: GlueOptions): Promise<GlueResult> {
  checkNames(options);
  const wanted = catalogTable(options);
  const glue = await import('@aws-sdk/client-glue');
  const client = new glue.GlueClient({
    ...(options.region !== undefined && { region: options.region }),
    ...(options.endpoint !== undefined && { endpoint: options.endpoint }),
    requestHandler: {
      connectionTimeout: CONNECT_TIMEOUT,
      requestTimeout: REQUEST_TIMEOUT,
      throwOnRequestTimeout: true,
    },
  });
  try {
    const region = await regionOf(client);
    return await apply(options, wanted, requests(client, glue, region), region);
  } finally {
    client.destroy();
  }
}

type Requests = ReturnType<typeof requests>;

function requests(client: Glue.GlueClient, glue: typeof Glue, region: string) {
  async function attempt<T>(operation: string, subject: string, request: () => Promise<T>): Promise<T> {
    try {
      return await request();
    } catch (error) {
      throw glueError(error, { operation, subject, region });
    }
  }
  const unlessMissing = (error: unknown) => {
    if (error instanceof glue.EntityNotFoundException) return undefined;
    throw error;
  };
  return {
    getDatabase: (Name: string) =>
      attempt('GetDatabase', Name, () =>
        client.send(new glue.GetDatabaseCommand({ Name })).then(({ Database }) => Database, unlessMissing),
      ),
    createDatabase: (Name: string) =>
      attempt('CreateDatabase', Name, () =>
        client.send(new glue.CreateDatabaseCommand({ DatabaseInput: { Name } })).catch((error: unknown) => {
          if (!(error instanceof glue.AlreadyExistsException)) throw error;
        }),
      ),
    getTable: (DatabaseName: string, Name: string) =>
      attempt('GetTable', `${DatabaseName}.${Name}`, () =>
        client
          .send(new glue.GetTableCommand({ DatabaseName, Name }))
          .then(({ Table: table }) => table, unlessMissing),
      ),
    createTable: (DatabaseName: string, { input: TableInput }: ReturnType<typeof tableChange>) =>
      attempt('CreateTable', `${DatabaseName}.${TableInput.Name}`, () =>
        client.send(new glue.CreateTableCommand({ DatabaseName, TableInput })),
      ),
    // The version makes it fail when somebody else changed the table since it was read.
    updateTable: (
      DatabaseName: string,
      { input: TableInput }: ReturnType<typeof tableChange>,
      { VersionId }: Glue.Table,
    ) =>
      attempt('UpdateTable', `${DatabaseName}.${TableInput.Name}`, () =>
        client.send(new glue.UpdateTableCommand({ DatabaseName, TableInput, VersionId })),
      ),
  };
}

async function apply(
  { database, createDatabase = true, force, dryRun = false, since }: GlueOptions,
  wanted: CatalogTable,
  send: Requests,
  region: string,
): Promise<GlueResult> {
  const name = `${database}.${wanted.name}`;
  const done = (verb: string) => (dryRun ? `would be ${verb}` : verb);
  const lines: string[] = [];
  if (!(await send.getDatabase(database))) {
    if (!createDatabase) {
      throw new MisconfiguredError(
        `database ${database}: expected it in the Glue catalog of ${region}, got none; leave out --no-create-database to make it, or name the right region with --region`,
      );
    }
    if (!dryRun) await send.createDatabase(database);
    lines.push(`database ${database} ${done('created')} in ${region}`);
  }
  const existing = await send.getTable(database, wanted.name);
  const change = tableChange(existing, wanted, { force, setRange: since !== undefined });
  const notes =
    wanted.unnameable.length > 0
      ? [`  not in scores, because Athena cannot name them: ${JSON.stringify(wanted.unnameable)}`]
      : [];
  if (!existing) {
    if (!dryRun) await send.createTable(database, change);
    const columns = `${wanted.columns.length} columns, ${wanted.partitions.length} partition columns`;
    lines.push(`table ${name} ${done('created')} over ${wanted.location}: ${columns}`, ...notes);
    return { outcome: 'created', lines };
  }
  if (change.refused.length > 0) {
    throw new MisconfiguredError(
      [
        `table ${name}: expected changes that only add, got some by which its readers could lose something; with --force they are made all the same (the files stay as they are), or choose another name for the table:`,
        ...change.refused,
      ].join('\n  '),
    );
  }
  if (change.changes.length === 0) {
    return { outcome: 'unchanged', lines: [...lines, `table ${name} unchanged`, ...notes] };
  }
  if (!dryRun) await send.updateTable(database, change, existing);
  lines.push(`table ${name} ${done('updated')}:`, ...change.changes.map((line) => `  ${line}`), ...notes);
  return { outcome: 'updated', lines };
}

async function regionOf(client: Glue.GlueClient): Promise<string> {
  try {
    return await client.config.region();
  } catch (error) {
    throw new MisconfiguredError(
      'Glue: expected a region, got none; name it with --region, or set AWS_REGION or the region of the profile',
      { cause: error },
    );
  }
}

function checkNames({ database, endpoint, ...table }: GlueOptions): void {
  if (!/^[a-z0-9_-]{1,255}$/.test(database)) {
    throw new MisconfiguredError(
      `--database: expected lower-case letters, digits, _ and -, got ${JSON.stringify(database)}`,
    );
  }
  checkCatalogNames(table);
  if (endpoint !== undefined && !/^https?:$/.test(URL.parse(endpoint)?.protocol ?? '')) {
    throw new MisconfiguredError(
      `--endpoint: expected a URL such as https://glue.eu-central-1.amazonaws.com, got ${JSON.stringify(endpoint)}`,
    );
  }
}

import { randomUUID } from 'node:crypto';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  CreateDatabaseCommand,
  CreateTableCommand,
  EntityNotFoundException,
  GetTableCommand,
  GetTableVersionsCommand,
  GlueClient,
  type Table,
} from '@aws-sdk/client-glue';
import { describe, expect, it, onTestFinished } from 'vitest';
import { applyToGlue, athenaDdl, type GlueOptions } from '../../src/archive/index.ts';
import { MisconfiguredError, RetryableError } from '../../src/errors.ts';

const endpoint = process.env['SLUICE_GLUE']!;
const region = 'us-east-1';
// Any will do for the local server; the standard chain must find some.
process.env['AWS_ACCESS_KEY_ID'] = process.env['AWS_SECRET_ACCESS_KEY'] = 'test';
const client = new GlueClient({ endpoint, region });

/** Options for a database of the test's own. */
function optionsOf(options: Partial<GlueOptions> = {}): GlueOptions {
  return {
    database: `d_${randomUUID().replaceAll('-', '')}`,
    location: 's3://lake/moderation/',
    labels: ['hate', 'spam'],
    endpoint,
    region,
    ...options,
  };
}

async function tableIn({ database, table = 'content' }: GlueOptions): Promise<Table> {
  return (await client.send(new GetTableCommand({ DatabaseName: database, Name: table }))).Table!;
}

async function versions({ database }: GlueOptions): Promise<number> {
  const answer = await client.send(
    new GetTableVersionsCommand({ DatabaseName: database, TableName: 'content' }),
  );
  return answer.TableVersions!.length;
}

describe('glue apply', () => {
  it('creates the database and the table, then changes nothing', async () => {
    const options = optionsOf();
    expect(await applyToGlue(options)).toEqual({
      outcome: 'created',
      lines: [
        `database ${options.database} created in us-east-1`,
        `table ${options.database}.content created over s3://lake/moderation/: 20 columns, 2 partition columns`,
      ],
    });
    expect(await tableIn(options)).toMatchObject({
      TableType: 'EXTERNAL_TABLE',
      StorageDescriptor: {
        InputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat',
        OutputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat',
        SerdeInfo: {
          SerializationLibrary: 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe',
          Parameters: { 'serialization.format': '1' },
        },
      },
    });
    expect(await applyToGlue(options)).toEqual({
      outcome: 'unchanged',
      lines: [`table ${options.database}.content unchanged`],
    });
    expect(await versions(options)).toBe(1);
  });

  it('adds what is new and keeps what others set', async () => {
    const options = optionsOf();
    await applyToGlue(options);
    const { Parameters, ...table } = await tableIn(options);
    const other = { ...options, table: 'other' };
    await client.send(
      new CreateTableCommand({
        DatabaseName: options.database,
        TableInput: {
          Name: 'other',
          TableType: table.TableType,
          Parameters: { ...Parameters, owner_team: 'trust' },
          PartitionKeys: table.PartitionKeys,
          StorageDescriptor: {
            ...table.StorageDescriptor,
            Columns: table.StorageDescriptor!.Columns!.filter(({ Name }) => Name !== 'metadata'),
          },
        },
      }),
    );
    const more = { ...other, labels: ['hate', 'toxic', 'a/b'] };
    expect(await applyToGlue(more)).toEqual({
      outcome: 'updated',
      lines: [
        `table ${options.database}.other updated:`,
        '  field scores.toxic added',
        '  column metadata map<string,string> added',
        '  not in scores, because Athena cannot name them: ["a/b"]',
      ],
    });
    const after = await tableIn(other);
    expect(after.Parameters).toMatchObject({ owner_team: 'trust' });
    expect(after.StorageDescriptor!.Columns).toContainEqual(
      expect.objectContaining({ Name: 'scores', Type: 'struct<hate:float,spam:float,toxic:float>' }),
    );
    expect((await applyToGlue(more)).outcome).toBe('unchanged');
  });

  it('refuses what could take something away, until it is forced', async () => {
    const options = optionsOf();
    await applyToGlue(options);
    const moved = { ...options, location: 's3://lake/else' };
    const refusal = applyToGlue(moved);
    await expect(refusal).rejects.toThrow(MisconfiguredError);
    await expect(refusal).rejects.toThrow(/--force[^]*location: expected s3:\/\/lake\/else\/, got/);
    expect((await tableIn(options)).StorageDescriptor!.Location).toBe('s3://lake/moderation/');
    expect((await applyToGlue({ ...moved, force: true })).outcome).toBe('updated');
    const after = await tableIn(options);
    expect(after.StorageDescriptor!.Location).toBe('s3://lake/else/');
    expect(after.Parameters!['storage.location.template']).toBe(
      's3://lake/else/customer=${customer}/dt=${dt}/',
    );
  });

  it('does nothing in a dry run but say it', async () => {
    const options = optionsOf({ dryRun: true });
    expect((await applyToGlue(options)).lines.join('\n')).toMatch(
      /database .* would be created[^]*would be created over/,
    );
    await expect(tableIn(options)).rejects.toThrow(EntityNotFoundException);
    await applyToGlue({ ...options, dryRun: false });
    const more = await applyToGlue({ ...options, labels: ['toxic'] });
    expect(more.lines[0]).toContain('would be updated');
    expect(await versions(options)).toBe(1);
  });

  it('says that the database is missing, and where, when it may not make it', async () => {
    const options = optionsOf({ createDatabase: false });
    await expect(applyToGlue(options)).rejects.toThrow(
      `database ${options.database}: expected it in the Glue catalog of us-east-1, got none; leave out --no-create-database to make it, or name the right region with --region`,
    );
    await client.send(new CreateDatabaseCommand({ DatabaseInput: { Name: options.database } }));
    expect((await applyToGlue(options)).outcome).toBe('created');
  });

  it.each([
    [{ database: 'Bad' }, '--database: expected'],
    [{ table: 'my-table' }, '--table: expected'],
    [{ since: '2024' }, '--since: expected'],
    [{ location: 'lake/moderation' }, '--location: expected'],
    [{ location: 's3://lake/a//b/' }, '--location: expected'],
    [{ location: 's3://lake/_hidden/' }, '--location: expected'],
    [{ location: 's3://lake/${x}/' }, '--location: expected'],
    [{ location: 'arn:aws:s3:::lake' }, '--location: expected'],
    [{ endpoint: 'nonsense' }, '--endpoint: expected a URL such as'],
    [{ endpoint: 'localhost:5000' }, '--endpoint: expected a URL such as'],
  ])('refuses %j before any request', async (bad, message) => {
    const refusal = applyToGlue(optionsOf({ endpoint: 'http://127.0.0.1:1', ...bad }));
    await expect(refusal).rejects.toThrow(MisconfiguredError);
    await expect(refusal).rejects.toThrow(message);
  });

  it.each<NonNullable<GlueOptions['partitionBy']>[]>([
    [['customer', 'day']],
    [['day', 'hour', 'customer']],
    [['day']],
    [[]],
  ])("makes the same table as Athena's DDL by %j", async (partitionBy) => {
    const options = optionsOf({ partitionBy, labels: ['hate', 'order', 'a/b'], since: '2024-02-03' });
    await applyToGlue(options);
    const { StorageDescriptor: storage, PartitionKeys, Parameters, Name } = await tableIn(options);
    expect({
      name: Name,
      columns: storage!.Columns!.map(({ Name: name, Type, Comment }) => [name, Type, Comment]),
      partitions: PartitionKeys!.map(({ Name: name, Type }) => [name, Type]),
      location: storage!.Location,
      properties: Parameters,
    }).toEqual(parseDdl(athenaDdl(options)));
  });
});

describe('what AWS refuses', () => {
  it.each([
    [
      'GetDatabase',
      'AccessDeniedException',
      400,
      MisconfiguredError,
      'allow the IAM action glue:GetDatabase',
    ],
    ['GetTable', 'AccessDeniedException', 400, MisconfiguredError, 'allow the IAM action glue:GetTable'],
    [
      'CreateTable',
      'AccessDeniedException',
      400,
      MisconfiguredError,
      'allow the IAM action glue:CreateTable',
    ],
    [
      'CreateDatabase',
      'AccessDeniedException',
      400,
      MisconfiguredError,
      'allow the IAM action glue:CreateDatabase',
    ],
    ['CreateTable', 'EntityNotFoundException', 400, MisconfiguredError, 'was it removed meanwhile'],
    ['CreateTable', 'AlreadyExistsException', 400, RetryableError, 'run the command again'],
    ['GetDatabase', 'ExpiredTokenException', 400, MisconfiguredError, 'the credentials have expired'],
    [
      'GetDatabase',
      'UnrecognizedClientException',
      400,
      MisconfiguredError,
      'whether the account has this region switched on',
    ],
    ['GetDatabase', 'InvalidInputException', 400, MisconfiguredError, 'InvalidInputException: refused here'],
    ['GetDatabase', 'InternalServiceException', 500, RetryableError, 'the service is busy'],
  ])('%s: %s', async (operation, name, status, kind, message) => {
    const refusing = await refuse(operation, name, status);
    const failure = applyToGlue(optionsOf({ endpoint: refusing.endpoint }));
    await expect(failure).rejects.toThrow(kind);
    await expect(failure).rejects.toThrow(`Glue ${operation} of `);
    await expect(failure).rejects.toThrow(message);
  });

  it('an update names the version that it read, and says what to do when that is old', async () => {
    const options = optionsOf();
    await applyToGlue(options);
    const refusing = await refuse('UpdateTable', 'ConcurrentModificationException', 400);
    const failure = applyToGlue({ ...options, labels: ['toxic'], endpoint: refusing.endpoint });
    await expect(failure).rejects.toThrow(RetryableError);
    await expect(failure).rejects.toThrow('somebody else changed it at the same time');
    expect(JSON.parse(refusing.refused[0]!)).toMatchObject({ VersionId: '1' });
  });

  it('Lake Formation is named where it is the reason', async () => {
    const refusing = await refuse(
      'GetTable',
      'AccessDeniedException',
      400,
      'Insufficient Lake Formation permission(s)',
    );
    const options = optionsOf();
    await client.send(new CreateDatabaseCommand({ DatabaseInput: { Name: options.database } }));
    await expect(applyToGlue({ ...options, endpoint: refusing.endpoint })).rejects.toThrow(
      'Lake Formation refuses it',
    );
  });

  it('an address at which nothing answers asks for the region', async () => {
    const failure = applyToGlue(optionsOf({ endpoint: 'http://127.0.0.1:1' }));
    await expect(failure).rejects.toThrow(RetryableError);
    await expect(failure).rejects.toThrow('cannot be reached: is the region right');
  });
});

/** The real server, but for one operation that it refuses as AWS would: the local one knows no permissions and no races. */
async function refuse(operation: string, name: string, status: number, message = 'refused here') {
  const refused: string[] = [];
  const server = createServer((incoming, answer) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const body = Buffer.concat(chunks);
      if (incoming.headers['x-amz-target'] === `AWSGlue.${operation}`) {
        refused.push(body.toString());
        answer.writeHead(status, { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-requestid': 'r' });
        answer.end(JSON.stringify({ __type: name, message, Message: message }));
        return;
      }
      const forwarded = request(
        endpoint,
        { method: incoming.method, headers: incoming.headers, path: incoming.url },
        (real) => {
          answer.writeHead(real.statusCode!, real.headers);
          real.pipe(answer);
        },
      );
      forwarded.end(body);
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, refused };
}

/** What a `CREATE EXTERNAL TABLE` says. `EXTERNAL` is a parameter in the catalog, a word in DDL. */
function parseDdl(ddl: string) {
  const column = /^ {2}`([^`]+)` (\S+) COMMENT '([^']*)',?$/;
  const lines = ddl.split('\n');
  const partitions = /^PARTITIONED BY \((.*)\)$/m.exec(ddl)?.[1]?.split(', ') ?? [];
  return {
    name: /^CREATE EXTERNAL TABLE `([^`]+)` \($/m.exec(ddl)?.[1],
    columns: lines.flatMap((line) => {
      const [, name, type, comment] = column.exec(line) ?? [];
      return name === undefined ? [] : [[name, type!.replaceAll('`', ''), comment]];
    }),
    partitions: partitions.map((text) => text.replaceAll('`', '').split(' ')),
    location: /^LOCATION '([^']+)'$/m.exec(ddl)?.[1],
    properties: {
      EXTERNAL: 'TRUE',
      ...Object.fromEntries(
        [...ddl.matchAll(/^ {2}'([^']+)' = '([^']+)',?$/gm)].map(([, key, value]) => [key, value]),
      ),
    },
  };
}

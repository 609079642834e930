import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { AWS } from '../../scripts/services/aws.ts';
import { execute } from '../../scripts/services/execute.ts';
import {
  ensureServices,
  removeServices,
  restartService,
  startService,
  stopService,
} from '../../scripts/services/index.ts';
import { postgres } from '../../scripts/services/postgres.ts';
import { installBefore, scratch } from './scratch.ts';

installBefore(['postgres', 'dynamodb', 'opensearch']);

/** Starts one service of this test alone and resolves with its environment. */
async function started(name: string) {
  const directory = scratch();
  const { environment } = await ensureServices([name], { directory });
  return { directory, environment };
}

/** Whether any process has this directory as its own. */
async function isInUse(directory: string): Promise<boolean> {
  const list = await execute('sh', ['-c', 'ls -l /proc/*/cwd 2>/dev/null || true']);
  return list.split('\n').some((line) => line.endsWith(` -> ${directory}`));
}

it('postgres keeps what was committed over a kill, and its busy processes end with it', async () => {
  const { directory, environment } = await started('postgres');
  const psql = join(await postgres.install(), 'psql');
  const query = (sql: string) => execute(psql, ['-qAt', environment['SLUICE_POSTGRES']!, '-c', sql]);
  await query('create table kept (id text primary key); insert into kept values ($$a$$)');

  const busy = spawn(psql, [
    environment['SLUICE_POSTGRES']!,
    '-c',
    'select count(*) from generate_series(1, 1000000000000)',
  ]);
  onTestFinished(() => void busy.kill('SIGKILL'));
  const activity = `select count(*) from pg_stat_activity where query like '%generate_series(1, 1000%' and pid <> pg_backend_pid()`;
  await expect.poll(async () => (await query(activity)).trim(), { timeout: 20_000 }).toBe('1');
  const data = join(directory, 'postgres/data');
  expect(await isInUse(data)).toBe(true);
  await stopService('postgres', { directory, signal: 'SIGKILL' });
  expect(await isInUse(data)).toBe(false);
  await startService('postgres', { directory });
  expect((await query('select * from kept')).trim()).toBe('a');
});

it('postgres ends cleanly though clients are connected, and knows a wrong password', async () => {
  const { directory, environment } = await started('postgres');
  const psql = join(await postgres.install(), 'psql');
  const wrong = environment['SLUICE_POSTGRES']!.replace('sluice-secret', 'wrong');
  await expect(execute(psql, [wrong, '-c', 'select 1'])).rejects.toThrow('password authentication failed');

  const client = spawn(psql, ['-qAt', environment['SLUICE_POSTGRES']!]);
  onTestFinished(() => void client.kill('SIGKILL'));
  client.stdin.write('select 1;\n');
  await once(client.stdout, 'data');
  await stopService('postgres', { directory });
  const log = readFileSync(join(directory, 'postgres/output.log'), 'utf8');
  expect(log.trimEnd().split('\n').at(-1)).toContain('database system is shut down');
});

it('dynamodb keeps tables and items over a kill', async () => {
  const { directory, environment } = await started('dynamodb');
  const call = async (operation: string, body: object): Promise<Record<string, unknown>> => {
    const response = await fetch(environment['SLUICE_DYNAMODB']!, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': `DynamoDB_20120810.${operation}`,
        authorization: `AWS4-HMAC-SHA256 Credential=${AWS.accessKey}/20260101/${AWS.region}/dynamodb/aws4_request, SignedHeaders=host, Signature=0`,
      },
      body: JSON.stringify(body),
    });
    const answer = (await response.json()) as Record<string, unknown>;
    expect(answer).not.toHaveProperty('__type');
    return answer;
  };
  await call('CreateTable', {
    TableName: 'scores',
    AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
    KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
    BillingMode: 'PAY_PER_REQUEST',
  });
  const Item = { id: { S: 'a' }, version: { N: '7' } };
  await call('PutItem', { TableName: 'scores', Item });
  await restartService('dynamodb', { directory, signal: 'SIGKILL' });
  expect(await call('GetItem', { TableName: 'scores', Key: { id: { S: 'a' } } })).toEqual({ Item });
});

it('opensearch keeps what a bulk request was answered for over a kill, and finds it', async () => {
  const { directory, environment } = await started('opensearch');
  const url = environment['SLUICE_OPENSEARCH']!;
  const lines = [
    { index: { _index: 'decisions', _id: 'content-0-1' } },
    { action: 'block', score: 0.9 },
    { create: { _index: 'decisions', _id: 'content-0-1' } },
    { action: 'allow', score: 0.1 },
    { index: { _index: 'decisions', _id: 'content-0-2' } },
    { action: 'allow', score: 'not a number' },
  ];
  const response = await fetch(`${url}/_bulk`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body: lines.map((line) => `${JSON.stringify(line)}\n`).join(''),
  });
  expect(await response.json()).toMatchObject({
    errors: true,
    items: [{ index: { status: 201 } }, { create: { status: 409 } }, { index: { status: 400 } }],
  });
  await restartService('opensearch', { directory, signal: 'SIGKILL' });
  expect((await fetch(`${url}/decisions/_refresh`, { method: 'POST' })).status).toBe(200);
  const found = await (await fetch(`${url}/decisions/_search?q=action:block`)).json();
  expect(found).toMatchObject({
    hits: { total: { value: 1 }, hits: [{ _id: 'content-0-1', _source: { score: 0.9 } }] },
  });
  expect(await removeServices(['opensearch'], { directory })).toEqual(['opensearch']);
});

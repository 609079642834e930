import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  CreateTableCommand,
  DynamoDBClient,
  paginateScan,
  type AttributeValue,
} from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MisconfiguredError, RetryableError, StoreError } from '../../src/errors.ts';
import { dynamodbSinkConfig } from '../../src/sinks/dynamodb-sink-config.ts';
import { createDynamodbSink } from '../../src/sinks/dynamodb-sink.ts';
import type { Score } from '../../src/sinks/score.ts';
import { scoresContract, type StoredScore } from '../contract/scores.ts';
import { sinkContract } from '../contract/sink.ts';
import { sampleDecision } from '../sample-decision.ts';
import { ownService, type OwnService } from '../services/own-service.ts';

let server: OwnService;
let client: DynamoDBClient;

beforeAll(async () => {
  // DynamoDB Local waits for the disk at each put: 60 a second on a busy one.
  server = await ownService('dynamodb', { memory: true });
  client = new DynamoDBClient({ endpoint: server.address });
});
afterAll(async () => {
  client.destroy();
  await server.close();
});

const sinkOf = (changes: object = {}) =>
  createDynamodbSink({
    config: dynamodbSinkConfig.parse({
      type: 'dynamodb',
      table: 'scores',
      endpoint: server.address,
      ...changes,
    }),
    at: 'sinks.scores',
  });
const signal = () => AbortSignal.timeout(60_000);
const failureOf = (attempt: Promise<unknown>) =>
  attempt.then(
    () => undefined,
    (error: unknown) => error,
  );

/** A table with this key: names of string attributes, partition key first; `name:N` is a number. */
async function freshTable(keys: readonly string[] = ['content_id', 'customer']): Promise<string> {
  const TableName = `scores-${randomUUID()}`;
  const parts = keys.map((key) => key.split(':'));
  await client.send(
    new CreateTableCommand({
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: parts.map(([name, type]) => ({
        AttributeName: name!,
        AttributeType: type === 'N' ? 'N' : 'S',
      })),
      KeySchema: parts.map(([name], index) => ({
        AttributeName: name!,
        KeyType: index === 0 ? 'HASH' : 'RANGE',
      })),
    }),
  );
  return TableName;
}

type Item = Record<string, AttributeValue>;

async function itemsOf(table: string): Promise<Item[]> {
  const items: Item[] = [];
  for await (const page of paginateScan({ client }, { TableName: table })) items.push(...(page.Items ?? []));
  return items;
}

async function rowsOf(table: string): Promise<StoredScore[]> {
  return (await itemsOf(table)).map((item) => ({ score: scoreOfItem(item), mark: JSON.stringify(item) }));
}

function scoreOfItem(item: Item): Score {
  const text = (name: string) => item[name]?.S ?? null;
  const labels = Object.entries(item['scores']!.M!);
  return {
    customer: text('customer')!,
    content_id: text('content_id')!,
    version: text('version')!,
    decision_id: text('decision_id')!,
    action: text('action') as Score['action'],
    reasons: item['reasons']!.L!.map(({ S }) => S!),
    scores: Object.fromEntries(labels.map(([label, { N }]) => [label, Number(N)])),
    model: text('model'),
    policy: text('policy'),
    language: text('language'),
    created_at: text('created_at'),
    decided_at: text('decided_at')!,
  };
}

/** A server that gives one answer, as DynamoDB words it: what DynamoDB Local never does. */
async function answering(status: number, type: string, message: string) {
  let requests = 0;
  const http = createServer((request, response) => {
    requests++;
    request.resume().on('end', () => {
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' });
      response.end(JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${type}`, message }));
    });
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  return {
    endpoint: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    requests: () => requests,
    close: () => http.close().closeAllConnections(),
  };
}

sinkContract('dynamodb', async () => {
  const table = await freshTable();
  const sink = sinkOf({ table });
  return {
    sink,
    again: () => Promise.resolve(sinkOf({ table })),
    unreachable: () => Promise.resolve(sinkOf({ table, endpoint: 'http://127.0.0.1:1' })),
    received: async () => (await rowsOf(table)).map(({ score }) => score.decision_id),
    close: () => sink.close(),
  };
});

scoresContract('dynamodb', async () => {
  const table = await freshTable();
  const sink = sinkOf({ table });
  return {
    sink,
    again: () => Promise.resolve(sinkOf({ table })),
    rows: async (customer) => (await rowsOf(table)).filter(({ score }) => score.customer === customer),
    kill: () => server.kill(),
    start: () => server.start(),
    close: () => sink.close(),
  };
});

describe('dynamodb sink', () => {
  it('takes a key in either order, with names of its own, and writes a time to live', async () => {
    const table = await freshTable(['tenant', 'post']);
    const sink = sinkOf({
      table,
      customer_attribute: 'tenant',
      content_id_attribute: 'post',
      ttl: '1h',
      ttl_attribute: 'gone_at',
    });
    await sink.check();
    const decision = sampleDecision(1, { language: null });
    await sink.deliver([decision], signal());
    const [item] = await itemsOf(table);
    expect(item).toMatchObject({ tenant: { S: 'acme' }, post: { S: 'post-1' } });
    expect(Number(item?.['gone_at']?.N)).toBe(Math.ceil(Date.parse(decision.decided_at) / 1000) + 3600);
    expect(item).not.toHaveProperty('language');
    await sink.close();
  });

  it('refuses what no item can hold, with all decisions on that content, and writes the rest', async () => {
    const table = await freshTable();
    const sink = sinkOf({ table });
    const large = Object.fromEntries(
      Array.from({ length: 30_000 }, (_, index) => [`${'label'.repeat(8)}-${index}`, 0.5]),
    );
    const batch = [
      sampleDecision(0),
      sampleDecision(1, { content_id: 'x'.repeat(2049) }),
      sampleDecision(2, { content_id: 'x'.repeat(2049) }),
      sampleDecision(3, { customer: 'y'.repeat(1025) }),
      sampleDecision(4, { content_id: '' }),
      sampleDecision(5, { scores: large }),
      sampleDecision(6, { content_id: '\0' }),
    ];
    const refusals = [...(await sink.deliver(batch, signal()))].toSorted((a, b) => a.index - b.index);
    expect(refusals.map(({ index, code }) => [index, code])).toEqual([
      [1, 'too_large'],
      [2, 'too_large'],
      [3, 'too_large'],
      [4, 'rejected'],
      [5, 'too_large'],
    ]);
    expect((await rowsOf(table)).map(({ score }) => score.decision_id).toSorted()).toEqual([
      'content-0-0',
      'content-0-6',
    ]);
    await sink.close();
  });

  it('says what is wrong with the table, and the command that makes one', async () => {
    const wrong: [string, RegExp][] = [
      [`none-${randomUUID()}`, /ResourceNotFoundException.*aws dynamodb create-table --table-name none-/],
      [await freshTable(['id']), /expected a key of content_id and customer, got id/],
      [
        await freshTable(['content_id']),
        /expected a key of content_id and customer, got content_id; .*create-table/,
      ],
      [
        await freshTable(['content_id:N', 'customer']),
        /expected content_id to be a string \(S\), got N; .*create-table/,
      ],
    ];
    for (const [table, text] of wrong) {
      const sink = sinkOf({ table });
      const error = await failureOf(sink.check());
      expect(error).toBeInstanceOf(MisconfiguredError);
      expect(String(error)).toMatch(text);
      await sink.close();
    }
    const unusable = sinkOf({ table: wrong[1]![0] });
    expect(await failureOf(unusable.deliver([sampleDecision(1)], signal()))).toBeInstanceOf(StoreError);
    await unusable.close();
  });

  it('asks for credentials and a region where there are none', async () => {
    const before = { ...process.env };
    try {
      delete process.env['AWS_ACCESS_KEY_ID'];
      const sink = sinkOf();
      await expect(sink.check()).rejects.toThrow(/no credentials.*give credentials by a role/);
      await sink.close();
      process.env = { ...before };
      delete process.env['AWS_REGION'];
      const lost = sinkOf();
      await expect(lost.check()).rejects.toThrow(/expected a region; set sinks.scores.region or AWS_REGION/);
      await lost.close();
    } finally {
      process.env = before;
    }
  });

  it.for([
    [400, 'ProvisionedThroughputExceededException', RetryableError, 3],
    [400, 'ThrottlingException', RetryableError, 3],
    [500, 'InternalServerError', RetryableError, 3],
    [400, 'UnrecognizedClientException', StoreError, 1],
    [400, 'AccessDeniedException', StoreError, 1],
    [400, 'ExpiredTokenException', StoreError, 1],
  ] as const)('%i %s: %o after %i requests', async ([status, type, kind, requests]) => {
    const faulty = await answering(status, type, 'as AWS says it');
    const sink = sinkOf({ endpoint: faulty.endpoint });
    const error = await failureOf(sink.deliver([sampleDecision(1)], signal()));
    expect(error).toBeInstanceOf(kind);
    expect(String(error)).toContain(`PutItem: ${type} (${status})`);
    expect(faulty.requests()).toBe(requests);
    await sink.close();
    faulty.close();
  });

  it('stops the other requests of a batch when one fails', async () => {
    const faulty = await answering(400, 'AccessDeniedException', 'no');
    const sink = sinkOf({ endpoint: faulty.endpoint, connections: 4 });
    const batch = Array.from({ length: 500 }, (_, index) => sampleDecision(index));
    await expect(sink.deliver(batch, signal())).rejects.toThrow(/allow dynamodb:PutItem on the table/);
    expect(faulty.requests()).toBeLessThanOrEqual(8);
    await sink.close();
    faulty.close();
  });
});

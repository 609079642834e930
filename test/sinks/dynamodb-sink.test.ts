import { randomUUID } from 'node:crypto';
import { createServer, request as requestTo, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  CreateTableCommand,
  DynamoDBClient,
  paginateScan,
  type AttributeValue,
} from '@aws-sdk/client-dynamodb';
import pRetry from 'p-retry';
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

const TYPE = 'application/x-amz-json-1.0';
const answerOf = (type: string, message: string) =>
  JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${type}`, message });

async function listening(http: Server) {
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  return {
    endpoint: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    close: () => http.close().closeAllConnections(),
  };
}

/** A server that gives one answer, as DynamoDB words it: what DynamoDB Local never does. */
async function answering(
  [status, type, message]: readonly [number, string, string],
  onRequest: (requests: number) => void = () => undefined,
) {
  let requests = 0;
  const http = createServer((request, response) => {
    requests++;
    onRequest(requests);
    request.resume().on('end', () => {
      response.writeHead(status, { 'content-type': TYPE }).end(answerOf(type, message));
    });
  });
  return { ...(await listening(http)), requests: () => requests };
}

/** The server of these tests, but as a table that throttles each fifth put; the others' content ids are put into `passed`. */
async function throttling(passed: string[], onPut: () => void) {
  const { hostname, port } = new URL(server.address);
  let puts = 0;
  const http = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      if (++puts % 5 === 0) {
        const answer = answerOf('ProvisionedThroughputExceededException', 'slower');
        response.writeHead(400, { 'content-type': TYPE }).end(answer);
        return;
      }
      passed.push((JSON.parse(String(body)) as { Item: Item }).Item['content_id']!.S!);
      const { method, headers } = request;
      const onward = requestTo({ hostname, port, path: '/', method, headers }, (answer) => {
        response.writeHead(answer.statusCode!, answer.headers);
        answer.pipe(response);
        onPut();
      });
      onward.end(body);
    });
  });
  return listening(http);
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
    [500, 'InternalServerError', RetryableError, 3],
    [400, 'UnrecognizedClientException', StoreError, 1],
    [400, 'AccessDeniedException', StoreError, 1],
    [400, 'ExpiredTokenException', StoreError, 1],
  ] as const)('%i %s: %o after %i requests', async ([status, type, kind, requests]) => {
    const faulty = await answering([status, type, 'as AWS says it']);
    const sink = sinkOf({ endpoint: faulty.endpoint });
    const error = await failureOf(sink.deliver([sampleDecision(1)], signal()));
    expect(error).toBeInstanceOf(kind);
    expect(String(error)).toContain(`PutItem: ${type} (${status})`);
    expect(faulty.requests()).toBe(requests);
    await sink.close();
    faulty.close();
  });

  it.for(['ProvisionedThroughputExceededException', 'ThrottlingException'])(
    '400 %s: waits until nobody waits any more',
    async (type) => {
      const over = new AbortController();
      // One more than the SDK's own attempts.
      const faulty = await answering([400, type, 'slower'], (requests) => {
        if (requests === 4) over.abort();
      });
      const sink = sinkOf({ endpoint: faulty.endpoint });
      const error = await failureOf(sink.deliver([sampleDecision(1)], over.signal));
      expect(error).toBeInstanceOf(RetryableError);
      expect(String(error)).toContain(`PutItem: ${type} (400): slower; 0 of 1 scores are written`);
      expect(faulty.requests()).toBe(4);
      await sink.close();
      faulty.close();
    },
  );

  it('goes on where the last attempt at a batch ended, while the table throttles', async () => {
    const table = await freshTable();
    const [count, connections] = [60, 4];
    const passed: string[] = [];
    let over = new AbortController();
    // Each ends one attempt: several answers may come while as many puts have passed.
    const ends = [20, 40];
    const slow = await throttling(passed, () => {
      if (ends.length === 0 || passed.length < ends[0]!) return;
      ends.shift();
      over.abort();
    });
    const sink = sinkOf({ table, endpoint: slow.endpoint, connections });
    const batch = [
      ...Array.from({ length: count }, (_, index) => sampleDecision(index)),
      sampleDecision(99, { content_id: '' }),
    ];
    let attempts = 0;
    const refusals = await pRetry(
      () => {
        attempts++;
        over = new AbortController();
        return sink.deliver(batch, over.signal);
      },
      {
        retries: 9,
        minTimeout: 0,
        onFailedAttempt: ({ error }) => {
          expect(error).toBeInstanceOf(RetryableError);
          expect(String(error)).toMatch(/\d+ of 61 scores are written/);
        },
      },
    );
    expect(attempts).toBe(3);
    // It was refused in the first attempt, and stands in the answer of the last.
    expect(refusals.map(({ index, code }) => [index, code])).toEqual([[count, 'rejected']]);
    expect((await rowsOf(table)).map(({ score }) => score.content_id).toSorted()).toEqual(
      batch
        .slice(0, count)
        .map(({ content_id }) => content_id)
        .toSorted(),
    );
    // Twice only what was under way when an attempt ended.
    const twice = passed.length - new Set(passed).size;
    expect(twice).toBeLessThanOrEqual(2 * connections);
    // The next batch is another one, also where it is the same array again.
    over = new AbortController();
    const before = passed.length;
    expect(await sink.deliver(batch, over.signal)).toHaveLength(1);
    expect(passed.length).toBeGreaterThanOrEqual(before + count);
    await sink.close();
    slow.close();
  });

  it('stops the other requests of a batch when one fails', async () => {
    const faulty = await answering([400, 'AccessDeniedException', 'no']);
    const sink = sinkOf({ endpoint: faulty.endpoint, connections: 4 });
    const batch = Array.from({ length: 500 }, (_, index) => sampleDecision(index));
    await expect(sink.deliver(batch, signal())).rejects.toThrow(/allow dynamodb:PutItem on the table/);
    expect(faulty.requests()).toBeLessThanOrEqual(8);
    await sink.close();
    faulty.close();
  });
});

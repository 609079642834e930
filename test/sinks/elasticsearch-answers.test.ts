import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { MisconfiguredError, RetryableError, StoreError } from '../../src/errors.ts';
import { elasticsearchSinkConfig } from '../../src/sinks/elasticsearch-sink-config.ts';
import { createElasticsearchSink } from '../../src/sinks/elasticsearch-sink.ts';
import { sampleDecision } from '../sample-decision.ts';

const sinkOf = (config: object) =>
  createElasticsearchSink({
    config: elasticsearchSinkConfig.parse({ type: 'elasticsearch', ...config }),
    at: 'sinks.search',
  });
const signal = () => AbortSignal.timeout(30_000);
const failureOf = (attempt: Promise<unknown>) =>
  attempt.then(
    () => undefined,
    (error: unknown) => error,
  );

interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly lines: readonly string[];
}

/** A server that answers bulk requests as the test says: what a healthy node of OpenSearch never does. */
async function answering(answer: (ids: readonly string[]) => { status: number; body: unknown }) {
  const received: Received[] = [];
  const http = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const bytes = Buffer.concat(chunks);
      const text = request.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes;
      const lines = String(text).trimEnd().split('\n');
      received.push({ headers: request.headers, lines });
      const ids = lines.flatMap((line) => /^\{"index":.*"_id":"([^"]+)"/.exec(line)?.[1] ?? []);
      const { status, body } = answer(ids);
      response.writeHead(status, { 'content-type': 'application/json', location: 'http://127.0.0.1:1/' });
      response.end(typeof body === 'string' ? body : JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    received,
    close: () => http.close().closeAllConnections(),
  };
}

const written = { index: { status: 201 } };
const failed = (status: number, type: string, reason: string) => ({
  index: { status, error: { type, reason } },
});

describe('elasticsearch sink, by what it is answered', () => {
  it('keeps to its size of requests, compressed or not, with a larger document alone', async () => {
    const node = await answering((ids) => ({ status: 200, body: { items: ids.map(() => written) } }));
    const zipped = sinkOf({ url: node.url, request_bytes: '64KiB' });
    const plain = sinkOf({ url: node.url, request_bytes: '64KiB', gzip: false });
    const batch = Array.from({ length: 300 }, (_, index) =>
      sampleDecision(index, index === 150 ? { text: 'x'.repeat(100_000) } : {}),
    );
    expect(await zipped.deliver(batch, signal())).toEqual([]);
    const first = node.received.splice(0);
    expect(await plain.deliver(batch, signal())).toEqual([]);
    expect(node.received.map(({ lines }) => lines)).toEqual(first.map(({ lines }) => lines));
    expect(first.flatMap(({ lines }) => lines)).toHaveLength(600);
    const sizes = first.map(({ lines }) => Buffer.byteLength(`${lines.join('\n')}\n`));
    expect(sizes.filter((bytes) => bytes > 65_536)).toHaveLength(1);
    expect(first.find(({ lines }) => lines.join('').length > 65_536)?.lines).toHaveLength(2);
    expect(first.map(({ headers }) => headers['content-encoding'])).toEqual(first.map(() => 'gzip'));
    expect(node.received[0]!.headers).not.toHaveProperty('content-encoding');
    await Promise.all([zipped.close(), plain.close()]);
    node.close();
  });

  it('halves what is too large for the server, down to the document that it refuses', async () => {
    const node = await answering((ids) =>
      ids.includes('content-0-13') || ids.length > 4
        ? { status: 413, body: 'too large' }
        : { status: 200, body: { items: ids.map(() => written) } },
    );
    const sink = sinkOf({ url: node.url });
    const refusals = await sink.deliver(
      Array.from({ length: 30 }, (_, index) => sampleDecision(index)),
      signal(),
    );
    expect(refusals.map(({ index, code }) => [index, code])).toEqual([[13, 'too_large']]);
    await sink.close();
    node.close();
  });

  it.for([
    [429, 'es_rejected_execution_exception', 'queue full', RetryableError],
    [503, 'unavailable_shards_exception', 'primary shard is not active', RetryableError],
    [404, 'index_not_found_exception', 'no such index', StoreError],
    [403, 'security_exception', 'action is unauthorized', StoreError],
    [400, 'validation_exception', 'this action would add [2] shards', StoreError],
    [400, 'illegal_argument_exception', 'pipeline with id [gone] does not exist', StoreError],
    [400, 'illegal_argument_exception', 'no write index is defined for alias [moderation].', StoreError],
    [
      400,
      'illegal_argument_exception',
      'Limit of total fields [1000] in index [moderation-2026.03.01] has been exceeded',
      StoreError,
    ],
    [
      400,
      'document_parsing_exception',
      '[1:9] failed to parse: Limit of total fields [1000] has been exceeded while adding new fields [1]',
      StoreError,
    ],
  ] as const)('item %i %s', async ([status, type, reason, kind]) => {
    const node = await answering((ids) => ({
      status: 200,
      body: {
        items: ids.map((id) =>
          id === 'content-0-2'
            ? failed(status, type, reason)
            : id === 'content-0-1'
              ? failed(400, 'mapper_parsing_exception', 'no')
              : written,
        ),
      },
    }));
    const sink = sinkOf({ url: node.url });
    const batch = [0, 1, 2, 3].map((offset) => sampleDecision(offset));
    const error = await failureOf(sink.deliver(batch, signal()));
    expect(error).toBeInstanceOf(kind);
    expect(String(error)).toContain(`${type} (${status}): ${reason}`);
    await sink.close();
    node.close();
  });

  it('finds a limit of the index in the cause of an error, too', async () => {
    const reason = 'Limit of total fields [1000] has been exceeded while adding new fields [1]';
    const item = failed(400, 'mapper_parsing_exception', 'failed to parse');
    const error = { ...item.index.error, caused_by: { type: 'illegal_argument_exception', reason } };
    const node = await answering((ids) => ({
      status: 200,
      body: { items: ids.map(() => ({ index: { status: 400, error } })) },
    }));
    const sink = sinkOf({ url: node.url });
    const failure = await failureOf(sink.deliver([sampleDecision(1)], signal()));
    expect(failure).toBeInstanceOf(StoreError);
    expect(String(failure)).toMatch(
      /failed to parse: Limit of total fields \[1000\] has been exceeded; raise index.mapping.total_fields.limit/,
    );
    await sink.close();
    node.close();
  });

  it('does not take the text of a document for an error of the index, and repeats none of it', async () => {
    const text = 'Limit of total fields [1000] has been exceeded';
    const value = `failed to parse field [x] of type [float] in document with id '1'. Preview of field's value: '${text}'`;
    const errors = [
      {
        type: 'mapper_parsing_exception',
        reason: value,
        caused_by: { reason: `For input string: "${text}"` },
      },
      { type: 'document_parsing_exception', reason: `[1:9] ${value}` },
      {
        type: 'illegal_argument_exception',
        reason: `Document contains at least one immense term in field="text" (whose UTF8 encoding is longer than the max length 32766). The prefix of the first immense term is: '[76, 105, 109]...', original message: bytes can be at most 32766 in length; got 40000`,
      },
    ];
    const node = await answering(() => ({
      status: 200,
      body: { items: errors.map((error) => ({ index: { status: 400, error } })) },
    }));
    const sink = sinkOf({ url: node.url });
    const refusals = await sink.deliver(
      errors.map((_, index) => sampleDecision(index)),
      signal(),
    );
    expect(refusals.map(({ index, code }) => [index, code])).toEqual([
      [0, 'rejected'],
      [1, 'rejected'],
      [2, 'rejected'],
    ]);
    expect(JSON.stringify(refusals)).not.toMatch(/Limit of|76, 105/);
    expect(refusals[2]!.detail).toContain('immense term');
    await sink.close();
    node.close();
  });

  it.for([
    [401, 'who are you', StoreError, 'correct username and password, or api_key'],
    [403, 'not you', StoreError, 'allow the user create_index and write'],
    [302, '', StoreError, 'got a redirection (302); correct url'],
    [429, 'circuit_breaking_exception', RetryableError, 'circuit_breaking_exception'],
    [502, '<html>bad gateway</html>', RetryableError, 'bad gateway'],
    [200, '<html>hello</html>', RetryableError, 'expected answers for 1 documents, got <html>hello'],
    [200, '{"items":[]}', RetryableError, 'expected answers for 1 documents, got 0'],
  ] as const)('answer %i %s', async ([status, body, kind, text]) => {
    const node = await answering(() => ({ status, body }));
    const sink = sinkOf({ url: node.url });
    const error = await failureOf(sink.deliver([sampleDecision(1)], signal()));
    expect(error).toBeInstanceOf(kind);
    expect(String(error)).toContain(text);
    expect(node.received).toHaveLength(1);
    await sink.close();
    node.close();
  });

  it('logs in by user or API key, and shows neither', async () => {
    const node = await answering(() => ({ status: 401, body: {} }));
    const byUser = sinkOf({ url: node.url, username: 'sluice', password: 'secret' });
    const byKey = sinkOf({ url: node.url, api_key: 'c2VjcmV0' });
    for (const sink of [byUser, byKey]) {
      const error = await failureOf(sink.check());
      expect(error).toBeInstanceOf(MisconfiguredError);
      expect(`${String(error)} ${sink.description}`).not.toMatch(/secret|c2VjcmV0/);
      await sink.close();
    }
    expect(node.received.map(({ headers }) => headers.authorization)).toEqual([
      `Basic ${Buffer.from('sluice:secret').toString('base64')}`,
      'ApiKey c2VjcmV0',
    ]);
    node.close();
  });

  it('gives up waiting for a server that says nothing', async () => {
    const http = createServer(() => undefined);
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    const sink = sinkOf({ url: `http://127.0.0.1:${(http.address() as AddressInfo).port}` });
    const attempt = sink.deliver([sampleDecision(1)], AbortSignal.timeout(200));
    await expect(attempt).rejects.toThrow(RetryableError);
    await sink.close();
    http.close().closeAllConnections();
  });
});

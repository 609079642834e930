import { randomUUID } from 'node:crypto';
import pRetry from 'p-retry';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Decision } from '../../src/decision.ts';
import { MisconfiguredError, RetryableError, StoreError } from '../../src/errors.ts';
import { indexTemplate } from '../../src/sinks/elasticsearch-index.ts';
import { elasticsearchSinkConfig } from '../../src/sinks/elasticsearch-sink-config.ts';
import { createElasticsearchSink } from '../../src/sinks/elasticsearch-sink.ts';
import { sinkContract } from '../contract/sink.ts';
import { sampleDecision } from '../sample-decision.ts';
import { ownService, type OwnService } from '../services/own-service.ts';

let server: OwnService;

beforeAll(async () => {
  server = await ownService('opensearch');
});
afterAll(() => server.close());

const sinkOf = (changes: object = {}) =>
  createElasticsearchSink({
    config: elasticsearchSinkConfig.parse({ type: 'elasticsearch', url: server.address, ...changes }),
    at: 'sinks.search',
  });
const signal = () => AbortSignal.timeout(30_000);
const failureOf = (attempt: Promise<unknown>) =>
  attempt.then(
    () => undefined,
    (error: unknown) => error,
  );

/** Asks the server without the sink's code. Throws for any answer that is no success. */
async function ask<Answer>(method: string, path: string, body?: object): Promise<Answer> {
  const response = await fetch(`${server.address}${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${text}`);
  return JSON.parse(text) as Answer;
}

/** A pattern of index names of a test's own, with the template for it. */
async function freshIndex(date = '{month}'): Promise<string> {
  const name = `test-${randomUUID()}`;
  await ask('PUT', `/_index_template/${name}`, indexTemplate(`${name}-${date}`));
  return `${name}-${date}`;
}

interface Found {
  readonly _id: string;
  readonly _index: string;
  readonly _version: number;
  readonly _source: Decision;
}

async function documentsOf(pattern: string, query: object = { match_all: {} }): Promise<Found[]> {
  const names = pattern.replaceAll(/\{\w+\}/g, '*');
  await ask('POST', `/${names}/_refresh`);
  const { hits } = await ask<{ hits: { hits: Found[] } }>('POST', `/${names}/_search`, {
    size: 10_000,
    version: true,
    query,
  });
  return hits.hits;
}

sinkContract('elasticsearch', async () => {
  const index = await freshIndex();
  const sink = sinkOf({ index });
  return {
    sink,
    again: () => Promise.resolve(sinkOf({ index })),
    unreachable: () => Promise.resolve(sinkOf({ index, url: 'http://127.0.0.1:1' })),
    received: async () => (await documentsOf(index)).map(({ _id }) => _id),
    close: () => sink.close(),
  };
});

describe('elasticsearch sink', () => {
  it('writes the decision as it is, into the index of its date, whenever that is told', async () => {
    const index = await freshIndex('{day}');
    const sink = sinkOf({ index });
    const name = (date: string) => index.replace('{day}', date);
    const batch = [
      sampleDecision(1, { produced_at: '2026-03-31T23:59:59.999Z' }),
      sampleDecision(2, { produced_at: null, created_at: '2026-04-01T00:00:00.000Z' }),
      sampleDecision(3, { produced_at: null, created_at: '9999-01-01T00:00:00.000Z' }),
      sampleDecision(4, { produced_at: null, created_at: null }),
    ];
    await sink.deliver(batch, signal());
    await sink.deliver(
      batch.map((decision) => ({ ...decision, decided_at: '2027-01-01T00:00:00.000Z' })),
      signal(),
    );
    const documents = (await documentsOf(index)).toSorted((a, b) => (a._id < b._id ? -1 : 1));
    expect(documents.map(({ _id, _index, _version }) => [_id, _index, _version])).toEqual([
      ['content-0-1', name('2026.03.31'), 2],
      ['content-0-2', name('2026.04.01'), 2],
      ['content-0-3', name('undated'), 2],
      ['content-0-4', name('undated'), 2],
    ]);
    expect(documents[0]!._source).toEqual({ ...batch[0], decided_at: '2027-01-01T00:00:00.000Z' });
    await sink.close();
  });

  it('has fields that can be asked for: scores as numbers, names as they are, times, text', async () => {
    const index = await freshIndex();
    const sink = sinkOf({ index, text: true });
    const long = 'x'.repeat(40_000);
    const batch = [
      sampleDecision(1, { text: 'buy cheap watches' }),
      sampleDecision(2, { scores: { toxic: 0.2, 'self.harm': 0.7 }, customer: 'Other Customer' }),
      sampleDecision(3, { content_id: long }),
    ];
    expect(await sink.deliver(batch, signal())).toEqual([]);
    const ids = async (query: object) => (await documentsOf(index, query)).map(({ _id }) => _id).toSorted();
    expect(await ids({ range: { 'scores.toxic': { gt: 0.9 } } })).toEqual(['content-0-1', 'content-0-3']);
    expect(await ids({ term: { customer: 'Other Customer' } })).toEqual(['content-0-2']);
    expect(await ids({ range: { produced_at: { lt: '2026-03-01T10:00:00.002Z' } } })).toEqual([
      'content-0-1',
    ]);
    expect(await ids({ match: { text: 'CHEAP' } })).toEqual(['content-0-1']);
    expect(await ids({ term: { 'reasons.label': 'toxic' } })).toHaveLength(3);
    await sink.close();
  });

  it('refuses only the documents that do not fit the mappings, without their text', async () => {
    const index = await freshIndex();
    const sink = sinkOf({ index, text: true });
    await sink.deliver([sampleDecision(1)], signal());
    // A score of an object's name: no float.
    const batch = [
      sampleDecision(2),
      sampleDecision(3, { scores: { toxic: 'secret text' as unknown as number } }),
      sampleDecision(4),
    ];
    const refusals = await sink.deliver(batch, signal());
    expect(refusals.map(({ index: place, code }) => [place, code])).toEqual([[1, 'rejected']]);
    expect(refusals[0]!.detail).toContain(
      'mapper_parsing_exception (400): failed to parse field [scores.toxic]',
    );
    expect(refusals[0]!.detail).not.toContain('secret text');
    expect(await documentsOf(index)).toHaveLength(3);
    await sink.close();
  });

  it('asks for the template before the first index, and says when an index was made without it', async () => {
    const index = `bare-${randomUUID()}-{month}`;
    const sink = sinkOf({ index });
    await expect(sink.check()).rejects.toThrow(MisconfiguredError);
    await expect(sink.check()).rejects.toThrow(/put the template of `sluice schema --elasticsearch`/);
    await sink.deliver([sampleDecision(1, { produced_at: new Date().toISOString() })], signal());
    await expect(sink.check()).rejects.toThrow(/got no such field; name another index/);
    await sink.close();
  });

  it('stops where the cluster takes no more indexes, instead of refusing every decision', async () => {
    const index = await freshIndex('{day}');
    const sink = sinkOf({ index });
    const limit = (shards: number | null) =>
      ask('PUT', '/_cluster/settings', { persistent: { 'cluster.max_shards_per_node': shards } });
    await limit(1);
    try {
      const error = await failureOf(sink.deliver([sampleDecision(1)], signal()));
      expect(error).toBeInstanceOf(StoreError);
      expect(String(error)).toMatch(/maximum shards open.*raise cluster.max_shards_per_node/);
    } finally {
      await limit(null);
    }
    expect(await sink.deliver([sampleDecision(1)], signal())).toEqual([]);
    await sink.close();
  });

  it('finds an alias or a data stream that cannot be written to, before and while it tells', async () => {
    const name = `target-${randomUUID()}`;
    const body = (aliases: object) => ({
      ...(indexTemplate(name) as { template: object }).template,
      aliases,
    });
    await ask(
      'PUT',
      `/${name}-1`,
      body({ [`${name}-one`]: {}, [`${name}-two`]: {}, [`${name}-chosen`]: {} }),
    );
    await ask(
      'PUT',
      `/${name}-2`,
      body({
        [`${name}-two`]: {},
        [`${name}-chosen`]: { is_write_index: true },
        [`${name}-no`]: { is_write_index: false },
      }),
    );
    const stream = { ...indexTemplate(`${name}-stream`), data_stream: {} };
    await ask('PUT', `/_index_template/${name}-stream`, stream);
    await ask('PUT', `/_data_stream/${name}-stream`);
    const targets: [string, RegExp | undefined][] = [
      ['1', undefined],
      ['one', undefined],
      ['chosen', undefined],
      ['two', /without a write index; give one index of the alias is_write_index: true/],
      ['no', /without a write index; give one index of the alias is_write_index: true/],
      ['stream', /got a data stream; name an index/],
    ];
    for (const [suffix, text] of targets) {
      const sink = sinkOf({ index: `${name}-${suffix}` });
      const checked = await failureOf(sink.check());
      const told = await failureOf(sink.deliver([sampleDecision(1)], signal()));
      if (text === undefined) expect([checked, told]).toEqual([undefined, undefined]);
      else {
        expect(checked).toBeInstanceOf(MisconfiguredError);
        expect(String(checked)).toMatch(text);
        expect(told).toBeInstanceOf(StoreError);
        expect(String(told)).toMatch(/illegal_argument_exception \(400\).*; (give one index|name an index)/);
      }
      await sink.close();
    }
    expect((await documentsOf(`${name}-2`)).map(({ _id }) => _id)).toEqual(['content-0-1']);
  });

  it('stops where an index takes no more labels, and goes on once its limit is raised', async () => {
    const index = await freshIndex();
    const sink = sinkOf({ index });
    await sink.deliver([sampleDecision(1)], signal());
    const [{ _index: name }] = (await documentsOf(index)) as [Found];
    const limit = (fields: number) =>
      ask('PUT', `/${name}/_settings`, { 'index.mapping.total_fields.limit': fields });
    await limit(10);
    const batch = [sampleDecision(2), sampleDecision(3, { scores: { newer: 0.5 } })];
    const error = await failureOf(sink.deliver(batch, signal()));
    expect(error).toBeInstanceOf(StoreError);
    expect(String(error)).toMatch(/Limit of total fields \[10\].*; raise index.mapping.total_fields.limit/);
    await limit(1000);
    expect(await sink.deliver(batch, signal())).toEqual([]);
    expect(await documentsOf(index)).toHaveLength(3);
    await sink.close();
  });

  it('asks again while the disk is too full', async () => {
    const index = await freshIndex();
    const sink = sinkOf({ index });
    await sink.deliver([sampleDecision(1)], signal());
    const [{ _index: name }] = (await documentsOf(index)) as [Found];
    const block = (isBlocked: boolean | null) =>
      ask('PUT', `/${name}/_settings`, { 'index.blocks.read_only_allow_delete': isBlocked });
    await block(true);
    await expect(sink.deliver([sampleDecision(2)], signal())).rejects.toThrow(RetryableError);
    await block(null);
    expect(await sink.deliver([sampleDecision(2)], signal())).toEqual([]);
    await sink.close();
  });

  it('may be asked again while the server is away, and loses nothing to its kill', async () => {
    const index = await freshIndex();
    const sink = sinkOf({ index });
    const batch = Array.from({ length: 100 }, (_, offset) => sampleDecision(offset));
    await sink.deliver(batch.slice(0, 60), signal());
    await server.kill();
    try {
      await expect(sink.deliver(batch.slice(40), signal())).rejects.toThrow(RetryableError);
    } finally {
      await server.start();
    }
    await pRetry(() => sink.deliver(batch.slice(40), signal()), {
      retries: 10,
      minTimeout: 100,
      shouldRetry: ({ error }) => error instanceof RetryableError,
    });
    const ids = (await documentsOf(index)).map(({ _id }) => _id);
    expect(ids.toSorted()).toEqual(batch.map(({ id }) => id).toSorted());
    await sink.close();
  });
});

import { MisconfiguredError, RetryableError, StoreError } from '../errors.ts';
import { checkError } from './connection-error.ts';
import {
  BULK_PATH,
  bulkRequests,
  halves,
  judge,
  type BulkItem,
  type BulkRequest,
} from './elasticsearch-bulk.ts';
import { connectElasticsearch } from './elasticsearch-connection.ts';
import { indexOf } from './elasticsearch-index.ts';
import type { ElasticsearchSinkConfig } from './elasticsearch-sink-config.ts';
import { targetProblem, wayOut, type IndexesBehind } from './elasticsearch-target.ts';
import type { Refusal, Sink } from './sink.ts';

/**
 * Each decision as a document whose id is the decision's, so that a repeat overwrites it. By the bulk API, which Elasticsearch
 * and OpenSearch share: https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-bulk. Requests go one after the
 * other: a node that is busy is not asked for more.
 */
export function createElasticsearchSink({
  config,
  at,
}: {
  readonly config: ElasticsearchSinkConfig;
  readonly at: string;
}): Sink {
  const { index, request_bytes: maxBytes } = config;
  const ask = connectElasticsearch(config, at);

  async function send(request: BulkRequest, signal: AbortSignal): Promise<readonly Refusal[]> {
    const where = `${at}: ${config.url}`;
    const body = `${request.lines.join('\n')}\n`;
    const { status, json, beginning } = await ask('POST', BULK_PATH, { body, signal });
    if (status === 413) {
      // Less than `request_bytes` for a proxy in between, or for the server.
      const [first] = request.indexes;
      const detail = `expected a document that the server takes, got one of ${Buffer.byteLength(body)} bytes`;
      if (request.indexes.length === 1) return [{ index: first!, code: 'too_large', detail }];
      const [left, right] = halves(request);
      return [...(await send(left, signal)), ...(await send(right, signal))];
    }
    if (status !== 200)
      throw new StoreError(`${where}: status ${status}: ${beginning}${wayOut(status, beginning)}`);
    const items = itemsOf(json);
    if (items?.length !== request.indexes.length) {
      const wanted = `expected answers for ${request.indexes.length} documents`;
      throw new RetryableError(`${where}: ${wanted}, got ${items?.length ?? beginning}`);
    }
    const { refusals, retry, stop } = judge(request.indexes, items);
    if (stop !== undefined) throw new StoreError(`${where}: ${stop}${wayOut(status, stop)}`);
    if (retry !== undefined) throw new RetryableError(`${where}: ${retry}`);
    return refusals;
  }

  /** Where today's documents go, and how its fields are or would be: a template can do nothing for an index that there is. */
  async function checkTarget(): Promise<void> {
    const today = indexOf(index, { produced_at: new Date().toISOString(), created_at: null });
    const there = await ask('GET', `/${today}`);
    if (there.status === 200) {
      const problem = targetProblem(today, there.json as IndexesBehind);
      if (!problem) return;
      const { expected, got, way } = problem;
      throw new MisconfiguredError(`${at}.index: expected ${expected}, got ${got}; ${way}`);
    }
    // Who may only write may not look; the first batch shows whether it may.
    if (there.status === 403) return;
    const simulated = await ask('POST', `/_index_template/_simulate_index/${today}`);
    if (simulated.status === 403) return;
    // Anything nested below `mappings`, whatever the answer's own layers are.
    if (/"version":\{"type":"keyword"/.test(JSON.stringify(simulated.json))) return;
    throw new MisconfiguredError(
      `${at}.index: expected an index ${today} with a keyword field \`version\`, got ${simulated.status === 200 ? 'no such field' : simulated.beginning}; put the template of \`sluice schema --elasticsearch\` there first (docs/search.md)`,
    );
  }

  return {
    description: `${config.url}, index ${index}`,

    async check() {
      try {
        const { status, json, beginning } = await ask('GET', '/');
        const isServer = typeof json === 'object' && json !== null && 'version' in json;
        // Who may not see the version may still write.
        if (status !== 403 && (status !== 200 || !isServer)) {
          const expected = `${at}.url: expected Elasticsearch or OpenSearch at ${config.url}`;
          throw new MisconfiguredError(`${expected}, got status ${status}: ${beginning}`);
        }
        await checkTarget();
      } catch (error) {
        throw checkError(error);
      }
    },

    async deliver(decisions, signal) {
      const refusals: Refusal[] = [];
      for (const request of bulkRequests(decisions, { index, maxBytes }))
        refusals.push(...(await send(request, signal)));
      return refusals;
    },

    // Its connections are the process's: they end when they were idle for a while.
    close: () => Promise.resolve(),
  };
}

function itemsOf(json: unknown): readonly BulkItem[] | undefined {
  if (typeof json !== 'object' || json === null || !('items' in json)) return undefined;
  return Array.isArray(json.items) ? (json.items as BulkItem[]) : undefined;
}

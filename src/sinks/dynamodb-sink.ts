import { setTimeout as delay } from 'node:timers/promises';
import { DescribeTableCommand, DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import type { Decision } from '../decision.ts';
import { MisconfiguredError, RetryableError } from '../errors.ts';
import { checkError } from './connection-error.ts';
import { dynamodbError, isThrottled, refusalOf } from './dynamodb-error.ts';
import { putRequest } from './dynamodb-item.ts';
import type { DynamodbSinkConfig } from './dynamodb-sink-config.ts';
import { createTableCommand, keyProblems } from './dynamodb-table.ts';
import { newestScores, type NewestScore } from './score.ts';
import type { Refusal, Sink } from './sink.ts';

/** Attempts of the SDK for each request before it says what was answered. */
const ATTEMPTS = 3;

/** Longest pause of a lane that was throttled, before it asks again: doubled each time, and any part of that. */
const PAUSE_MILLIS = 200;
const MAX_PAUSE_MILLIS = 3000;

/** How far a batch has come, over all attempts at it. */
interface Progress {
  readonly scores: readonly NewestScore[];
  /** Refusals of each score that was answered for good. */
  readonly answered: Map<NewestScore, readonly Refusal[]>;
}

/**
 * The newest score of each content as an item. Each is put under the condition that the table has an older one or none, so
 * neither order, repeats nor other processes matter. One request each: requests for many have no conditions (BatchWriteItem), or
 * cost twice as much and fail together (TransactWriteItems). A put costs the table's throughput also where its condition fails, so
 * what was answered in one attempt is left out in the next; a table that throttles is waited for.
 */
export function createDynamodbSink({
  config,
  at,
}: {
  readonly config: DynamodbSinkConfig;
  readonly at: string;
}): Sink {
  const { table, connections } = config;
  const create = createTableCommand(config);
  const agent = { keepAlive: true, maxSockets: connections };
  const client = new DynamoDBClient({
    ...(config.region === undefined ? {} : { region: config.region }),
    ...(config.endpoint === undefined ? {} : { endpoint: config.endpoint }),
    maxAttempts: ATTEMPTS,
    // Its adaptive mode slows the whole client down to a crawl for the throttling of one hot key.
    retryMode: 'standard',
    cacheMiddleware: true,
    requestHandler: {
      connectionTimeout: config.connect_timeout,
      socketTimeout: config.idle_timeout,
      httpAgent: agent,
      httpsAgent: agent,
    },
  });

  const underWay = new WeakMap<readonly Decision[], Progress>();

  /** Puts one, however long the table throttles; what it is refused for, if it is. */
  async function put(
    { score, indexes }: NewestScore,
    { signal, onThrottled }: { readonly signal: AbortSignal; readonly onThrottled: (error: unknown) => void },
  ): Promise<Refusal[]> {
    for (let pause = PAUSE_MILLIS; ; pause = Math.min(2 * pause, MAX_PAUSE_MILLIS)) {
      try {
        signal.throwIfAborted();
        await client.send(new PutItemCommand(putRequest(config, score)), { abortSignal: signal });
        return [];
      } catch (error) {
        // The table has this version or a newer one.
        if (error instanceof Error && error.name === 'ConditionalCheckFailedException') return [];
        const refusal = refusalOf(error);
        if (refusal) return indexes.map((index) => ({ index, ...refusal }));
        if (!isThrottled(error)) throw error;
        onThrottled(error);
        await delay(pause * Math.random(), undefined, { signal });
      }
    }
  }

  return {
    description: `DynamoDB table ${table}${config.endpoint === undefined ? '' : ` of ${config.endpoint}`}`,

    async check() {
      try {
        const { Table } = await client.send(new DescribeTableCommand({ TableName: table }));
        const status = Table?.TableStatus;
        if (status !== 'ACTIVE' && status !== 'UPDATING')
          throw new RetryableError(`${at}: table ${table}: expected it to be active, it is ${status}`);
        const problems = keyProblems(config, Table!);
        if (problems.length === 0) return;
        throw new MisconfiguredError(
          `${at}.table: ${table}: expected ${problems.join('; expected ')}; name its attributes in customer_attribute and content_id_attribute, or make another table: ${create}`,
        );
      } catch (error) {
        throw checkError(dynamodbError(error, { operation: 'DescribeTable', at, table, create }));
      }
    },

    async deliver(decisions, signal) {
      const progress = underWay.get(decisions) ?? { scores: newestScores(decisions), answered: new Map() };
      underWay.set(decisions, progress);
      const { scores, answered } = progress;
      const waiting = scores.filter((score) => !answered.has(score)).values();
      const failed = new AbortController();
      const either = AbortSignal.any([signal, failed.signal]);
      const stopped = new Promise<void>((resolve) => {
        either.addEventListener('abort', () => resolve(), { once: true });
      });
      let throttled: unknown;
      const onThrottled = (error: unknown) => {
        throttled = error;
      };
      const lane = async () => {
        for (const score of waiting) answered.set(score, await put(score, { signal: either, onThrottled }));
      };
      const lanes = Array.from({ length: Math.min(connections, scores.length) }, () =>
        // The first failure is the reason; the others are stopped by it.
        lane().catch((error: unknown) => failed.abort(error)),
      );
      // Without waiting for the lanes that wait for a throttled table: nothing stops the client's own pauses.
      await Promise.race([Promise.all(lanes), stopped]);
      if (answered.size === scores.length) {
        underWay.delete(decisions);
        return [...answered.values()].flat();
      }
      const reason: unknown = signal.aborted ? (throttled ?? signal.reason) : failed.signal.reason;
      const error = dynamodbError(reason, { operation: 'PutItem', at, table, create });
      if (!(error instanceof RetryableError)) throw error;
      const far = `${answered.size} of ${scores.length} scores are written`;
      throw new RetryableError(`${error.message}; ${far}`, { cause: error.cause });
    },

    // oxlint-disable-next-line typescript/require-await -- a contract of promises
    async close() {
      client.destroy();
    },
  };
}

import { DescribeTableCommand, DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { MisconfiguredError, RetryableError, isOperational } from '../errors.ts';
import { dynamodbError, refusalOf } from './dynamodb-error.ts';
import { putRequest } from './dynamodb-item.ts';
import type { DynamodbSinkConfig } from './dynamodb-sink-config.ts';
import { createTableCommand, keyProblems } from './dynamodb-table.ts';
import { newestScores, type NewestScore } from './score.ts';
import type { Refusal, Sink } from './sink.ts';

/** Attempts of the SDK for each request, slower and slower while the table throttles; then the fan-out goes on. */
const ATTEMPTS = 3;

/**
 * The newest score of each content as an item. Each is put under the condition that the table has an older one or none, so
 * neither order, repeats nor other processes matter. One request each: requests for many have no conditions (BatchWriteItem), or
 * cost twice as much and fail together (TransactWriteItems).
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
    // Also paces requests by the rate that the table takes.
    retryMode: 'adaptive',
    cacheMiddleware: true,
    requestHandler: {
      connectionTimeout: config.connect_timeout,
      socketTimeout: config.idle_timeout,
      httpAgent: agent,
      httpsAgent: agent,
    },
  });

  /** Puts one; what it is refused for, if it is. */
  async function put({ score, indexes }: NewestScore, signal: AbortSignal): Promise<Refusal[]> {
    try {
      await client.send(new PutItemCommand(putRequest(config, score)), { abortSignal: signal });
      return [];
    } catch (error) {
      // The table has this version or a newer one.
      if (error instanceof Error && error.name === 'ConditionalCheckFailedException') return [];
      const refusal = refusalOf(error);
      if (!refusal) throw dynamodbError(error, { operation: 'PutItem', at, table, create });
      return indexes.map((index) => ({ index, ...refusal }));
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
        const cause = dynamodbError(error, { operation: 'DescribeTable', at, table, create });
        if (!isOperational(cause) || cause instanceof RetryableError || cause instanceof MisconfiguredError)
          throw cause;
        throw new MisconfiguredError(cause.message, { cause });
      }
    },

    async deliver(decisions, signal) {
      const waiting = newestScores(decisions).values();
      const failed = new AbortController();
      const either = AbortSignal.any([signal, failed.signal]);
      const refusals: Refusal[] = [];
      const lane = async () => {
        for (const score of waiting) {
          either.throwIfAborted();
          refusals.push(...(await put(score, either)));
        }
      };
      const lanes = Array.from({ length: Math.min(connections, decisions.length) }, () =>
        lane().catch((error: unknown) => {
          // The first failure is the reason; the others were stopped by it.
          failed.abort(error);
        }),
      );
      await Promise.all(lanes);
      failed.signal.throwIfAborted();
      return refusals;
    },

    // oxlint-disable-next-line typescript/require-await -- a contract of promises
    async close() {
      client.destroy();
    },
  };
}

import pRetry from 'p-retry';
import { RetryableError } from '../errors.ts';
import type { KafkaClient } from './kafka-client.ts';
import type { Cluster } from './kafkajs-cluster.ts';
import { kafkaError } from './kafkajs-errors.ts';
import { fetchCommitted, findPartitions, isSame, listOffsets } from './kafkajs-lookups.ts';
import type { Subscription } from './subscription.ts';

/** What {@link createKafkaLookups} needs. */
export interface KafkaLookupsOptions {
  readonly cluster: Cluster;
  /** Consumer group. */
  readonly group: string;
  readonly subscription: Subscription;
  /** Ends all questions. */
  readonly signal: AbortSignal;
  readonly onRetrying: (operation: string, error: Error) => void;
}

/** The questions of a {@link KafkaClient} that need no membership, the same for every adapter. */
export type KafkaLookups = Pick<KafkaClient, 'committed' | 'partitions' | 'offsets'>;

/** A minute, with waits of 0.1 to 5 seconds. */
const LOOKUP_RETRY = {
  retries: 1000,
  minTimeout: 100,
  maxTimeout: 5000,
  randomize: true,
  maxRetryTime: 60_000,
};

/** Asks the brokers by kafkajs's connections. */
export function createKafkaLookups(options: KafkaLookupsOptions): KafkaLookups {
  const { cluster, group, subscription, signal, onRetrying } = options;
  let lookups: Promise<unknown> = Promise.resolve();

  /** One at a time, because kafkajs would open a second connection for a second request that finds none. */
  function lookUp<Result>(what: string, attempt: () => Promise<Result>): Promise<Result> {
    const result = lookups.then(() => tryFor(what, attempt));
    lookups = result.catch(() => undefined);
    return result;
  }

  async function tryFor<Result>(what: string, attempt: () => Promise<Result>): Promise<Result> {
    const convert = async () => {
      try {
        return await attempt();
      } catch (error) {
        throw kafkaError(error, what);
      }
    };
    return pRetry(convert, {
      ...LOOKUP_RETRY,
      signal,
      shouldRetry: ({ error }) => error instanceof RetryableError,
      onFailedAttempt: ({ error }) => onRetrying(what, error),
    });
  }

  return {
    committed: () => lookUp(`positions of group ${group}`, () => fetchCommitted(cluster, group)),

    partitions: () => lookUp('partitions', () => findPartitions(cluster, subscription)),

    offsets: (partitions, at) =>
      lookUp('offsets', async () => {
        const topics = [...new Set(partitions.map(({ topic }) => topic))];
        if (topics.length === 0) return [];
        const existing = await findPartitions(cluster, { topics });
        const wanted = existing.filter((each) => partitions.some((other) => isSame(each, other)));
        return listOffsets(cluster, wanted, at);
      }),
  };
}

import type { KafkaConfig } from '../kafka.ts';
import type { Partition, Position, RawBatch } from '../types.ts';
import { createKafkaLookups } from './kafka-lookups.ts';
import { createCluster } from './kafkajs-cluster.ts';
import { createFetcher } from './kafkajs-fetcher.ts';
import { partitionKey } from './partition-key.ts';

/** What {@link openKafkaTail} needs. */
export interface KafkaTailOptions {
  readonly kafka: KafkaConfig;
  readonly topic: string;
  /** Consecutive messages of one partition. Must not throw. */
  readonly onBatch: (batch: RawBatch) => void;
  /** Something failed that is tried again for as long as it takes. */
  readonly onRetrying: (operation: string, error: Error) => void;
  /** Nothing can be read any more: wrong credentials, a missing permission. Called once. */
  readonly onFailed: (error: unknown) => void;
}

/** A reader of what is written to a topic from now on. */
export interface KafkaTail {
  /**
   * Resolves when every partition has its position: whatever is written after that is handed over, across restarts of
   * brokers. Throws RetryableError when no broker answers within a minute.
   */
  start(): Promise<void>;
  /** Why nothing is read now: what failed since a broker answered last. Undefined when they answer. */
  failure(): Error | undefined;
  close(): void;
}

const BATCH = { batchMessages: 1024, batchBytes: 1024 ** 2 };
const ANSWER = { maxBytes: 8 * 1024 ** 2, maxBytesPerPartition: 1024 ** 2, maxWait: 500 };
/** How often new partitions are looked for, milliseconds. */
const LOOK_AGAIN = 30_000;
/** Fetches need a token; here there is only one assignment. */
const TOKEN = 1;

/**
 * Reads a topic from its end on without a consumer group: nothing is committed, nothing is left behind at the brokers. What
 * expires before it was read is skipped.
 */
export function openKafkaTail({ kafka, topic, onBatch, onRetrying, onFailed }: KafkaTailOptions): KafkaTail {
  const cluster = createCluster(kafka);
  const subscription = { topics: [topic] };
  const ending = new AbortController();
  const read = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  let failure: Error | undefined;
  const isOpen = () => !ending.signal.aborted;
  const fail = (error: unknown) => {
    if (isOpen()) onFailed(error);
  };
  // Of requests that the end broke off nobody needs to know.
  const retrying = (operation: string, error: Error) => {
    if (!isOpen()) return;
    failure = error;
    onRetrying(operation, error);
  };
  const lookups = createKafkaLookups({
    cluster,
    group: '',
    subscription,
    signal: ending.signal,
    onRetrying: retrying,
  });
  const fetcher = createFetcher({
    cluster,
    subscription,
    limits: BATCH,
    ...ANSWER,
    onBatch: async (batch) => onBatch(batch),
    onOutOfRange: ({ topic: name, partition }) => {
      beginAt([{ topic: name, partition }], 'latest').catch(fail);
    },
    onRetrying: retrying,
    onAnswered: () => (failure = undefined),
    onFailed: fail,
  });

  async function beginAt(partitions: readonly Partition[], at: 'earliest' | 'latest'): Promise<void> {
    const positions: readonly Position[] = await lookups.offsets(partitions, at);
    for (const position of positions) read.add(partitionKey(position));
    fetcher.read(TOKEN, positions);
  }

  /** All of a new partition is new. */
  async function look(): Promise<void> {
    try {
      const fresh = (await lookups.partitions()).filter((each) => !read.has(partitionKey(each)));
      if (fresh.length > 0) await beginAt(fresh, 'earliest');
    } catch (error) {
      retrying('partitions', error as Error);
    }
    if (isOpen()) timer = setTimeout(() => void look(), LOOK_AGAIN);
  }

  return {
    async start() {
      await beginAt(await lookups.partitions(), 'latest');
      timer = setTimeout(() => void look(), LOOK_AGAIN);
    },
    failure: () => failure,
    close() {
      ending.abort();
      clearTimeout(timer);
      fetcher.end();
      cluster.destroy();
    },
  };
}

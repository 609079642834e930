import type { KafkaConfig } from '../kafka.ts';
import type { Position, RawBatch } from '../types.ts';
import { cutBatch } from './cut-batch.ts';
import { createKafkaLookups } from './kafka-lookups.ts';
import { createCluster } from './kafkajs-cluster.ts';
import { createFetcher } from './kafkajs-fetcher.ts';
import { partitionKey } from './partition-key.ts';

/** What {@link readTopic} needs. */
export interface TopicReaderOptions {
  readonly kafka: KafkaConfig;
  readonly topic: string;
  /** Consecutive messages of one partition, one call at a time for each; reading waits for it. What it throws ends the reading. */
  readonly onBatch: (batch: RawBatch) => Promise<void>;
  /** Offsets that were read and that there are. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Something failed that is tried again. */
  readonly onRetrying?: (error: Error) => void;
  /** Ends the reading early. */
  readonly signal: AbortSignal;
}

const LIMITS = { batchMessages: 1024, batchBytes: 1024 ** 2 };
const ANSWER = { maxBytes: 8 * 1024 ** 2, maxBytesPerPartition: 1024 ** 2, maxWait: 500 };
/** Fetches need a token; here there is only one assignment. */
const TOKEN = 1;

/** One partition while it is read: from `begin` to before `end`. */
interface Lane {
  readonly begin: Position;
  readonly end: number;
  next: number;
}

/**
 * Reads a topic from its beginning to its end at this moment, without a consumer group: nothing is committed, nothing is left
 * behind at the brokers. Resolves when all of it was handed over, or when aborted. Throws RetryableError when no broker
 * answers for a minute, MisconfiguredError when they refuse.
 */
export async function readTopic(options: TopicReaderOptions): Promise<void> {
  const { kafka, topic, onBatch, onProgress, signal } = options;
  const onRetrying = (_operation: string, error: Error) => options.onRetrying?.(error);
  const cluster = createCluster(kafka);
  const subscription = { topics: [topic] };
  const ending = new AbortController();
  const lookups = createKafkaLookups({
    cluster,
    group: '',
    subscription,
    signal: ending.signal,
    onRetrying,
  });
  try {
    const partitions = await lookups.partitions();
    const begins = await lookups.offsets(partitions, 'earliest');
    const ends = new Map(
      (await lookups.offsets(partitions, 'latest')).map((end) => [partitionKey(end), end]),
    );
    const left = new Map(
      begins
        .map((begin) => ({ begin, end: ends.get(partitionKey(begin))?.offset ?? begin.offset }))
        .filter(({ begin, end }) => begin.offset < end)
        .map(({ begin, end }) => [partitionKey(begin), { begin, end, next: begin.offset }]),
    );
    if (left.size > 0 && !signal.aborted) await readAll(left);
  } finally {
    ending.abort();
    cluster.destroy();
  }

  async function readAll(left: Map<string, Lane>): Promise<void> {
    const all = [...left.values()];
    const total = all.reduce((sum, { begin, end }) => sum + end - begin.offset, 0);
    const handing = new Set<Promise<void>>();
    const end = Promise.withResolvers<void>();
    const fetcher = createFetcher({
      cluster,
      subscription,
      limits: LIMITS,
      ...ANSWER,
      async onBatch(batch) {
        const lane = left.get(partitionKey(batch));
        if (!lane || signal.aborted) return;
        const handed = onBatch(cutBatch(batch, lane.end));
        handing.add(handed);
        try {
          await handed;
          reached(lane, batch.next);
        } catch (error) {
          end.reject(error);
        } finally {
          handing.delete(handed);
        }
      },
      onOutOfRange: (position) => void skipExpired(position).catch(end.reject),
      onRetrying,
      onFailed: end.reject,
    });

    function reached(lane: Lane, offset: number): void {
      lane.next = Math.min(offset, lane.end);
      onProgress?.(
        all.reduce((sum, { begin, next }) => sum + next - begin.offset, 0),
        total,
      );
      if (lane.next < lane.end) return;
      left.delete(partitionKey(lane.begin));
      fetcher.pause([lane.begin]);
      if (left.size === 0) end.resolve();
    }

    /** Retention was faster: what is gone cannot be read. */
    async function skipExpired(position: Position): Promise<void> {
      const [first] = await lookups.offsets([position], 'earliest');
      const lane = first && left.get(partitionKey(first));
      if (!lane) return;
      reached(lane, first.offset);
      if (first.offset < lane.end) fetcher.read(TOKEN, [first]);
    }

    signal.addEventListener('abort', () => end.resolve(), { once: true });
    fetcher.read(
      TOKEN,
      all.map(({ begin }) => begin),
    );
    try {
      await end.promise;
    } finally {
      fetcher.end();
      // A call under way may be sending something: it ends before whoever waits goes on.
      await Promise.allSettled(handing);
    }
  }
}

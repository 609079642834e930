import { InputError, RetryableError } from '../errors.ts';
import type { Partition, Position, RawBatch } from '../types.ts';
import { createBackoff, type Backoff } from './backoff.ts';
import { decodeFetchResponse, type FetchedPartition } from './fetch-response.ts';
import { errorOfCode, READ_COMMITTED, send, type Cluster } from './kafkajs-cluster.ts';
import { kafkaError } from './kafkajs-errors.ts';
import { byTopic, findPartitions, type LedPartition } from './kafkajs-lookups.ts';
import { partitionKey } from './partition-key.ts';
import { createRecordBatches, type RecordLimits } from './record-batches.ts';
import { readRecordSet } from './record-sets.ts';
import type { Subscription } from './subscription.ts';

/** What {@link createFetcher} needs; durations in milliseconds, sizes in bytes. */
export interface FetcherOptions {
  readonly cluster: Cluster;
  readonly subscription: Subscription;
  readonly limits: RecordLimits;
  /** Most that one answer brings, and most of one partition; a larger record batch comes alone. */
  readonly maxBytes: number;
  readonly maxBytesPerPartition: number;
  /** Longest that a broker waits for something new. */
  readonly maxWait: number;
  readonly onBatch: (batch: RawBatch, token: number, end: number) => Promise<void>;
  readonly onOutOfRange: (position: Position, token: number) => void;
  readonly onRetrying: (operation: string, error: Error) => void;
  /** A broker answered a fetch. */
  readonly onAnswered?: () => void;
  /** Called once: nothing more is fetched. */
  readonly onFailed: (error: unknown) => void;
}

/** Fetches partitions, each no faster than its batches are taken. */
export interface Fetcher {
  /** See {@link KafkaClient.read}. */
  read(token: number, positions: readonly Position[]): void;
  pause(partitions: readonly Partition[]): void;
  /** Ends everything of a token, or of all tokens. */
  end(token?: number): void;
}

/** One partition while it is read. Replaced as a whole when reading starts anew, so that what is under way finds itself gone. */
interface Lane extends Partition {
  readonly token: number;
  /** Next offset to fetch. */
  next: number;
  fetched: FetchedPartition | undefined;
  taking: boolean;
  readonly backoff: Backoff;
  /** Not fetched before this time of `performance.now()`. */
  notBefore: number;
}

const FIRST_WAIT = 50;
const LONGEST_WAIT = 2000;
/** Wait of a broker while some partitions are busy: they must not wait for those that have nothing. */
const SHORT_WAIT = 20;
/** Kafka's OFFSET_OUT_OF_RANGE. */
const OUT_OF_RANGE = 1;

/** Makes a fetcher; each broker is asked for all partitions of its own that have room, one request at a time. */
export function createFetcher(options: FetcherOptions): Fetcher {
  const { cluster, maxBytes } = options;
  const lanes = new Map<string, Lane>();
  const asking = new Set<number>();
  const handing = new Map<string, Promise<void>>();
  let turn = 0;
  let leaders = new Map<string, number>();
  let looking: Promise<void> | undefined;
  let failed = false;
  let timer: NodeJS.Timeout | undefined;

  const isCurrent = (lane: Lane) => lanes.get(partitionKey(lane)) === lane;

  function isReady(lane: Lane): boolean {
    return !lane.fetched && lane.notBefore <= performance.now();
  }

  function schedule(): void {
    if (failed) return;
    let held = 0;
    for (const { fetched } of lanes.values()) held += fetched?.records.length ?? 0;
    // Answers keep their memory until every partition of theirs is decoded.
    if (held > maxBytes) return;
    const ready = [...lanes.values()].filter(isReady);
    if (ready.some((lane) => !leaders.has(partitionKey(lane)))) look();
    const byLeader = Map.groupBy(ready, (lane) => leaders.get(partitionKey(lane)) ?? -1);
    for (const [leader, own] of byLeader) if (leader >= 0 && !asking.has(leader)) ask(leader, own);
    const waits = [...lanes.values()]
      .map((lane) => lane.notBefore - performance.now())
      .filter((wait) => wait > 0);
    clearTimeout(timer);
    if (waits.length > 0) timer = setTimeout(schedule, Math.min(...waits) + 1);
  }

  /** Finds the leaders anew, once however many ask. */
  function look(): void {
    looking ??= (async () => {
      try {
        const found = await findPartitions(cluster, options.subscription);
        leaders = new Map(
          found
            .filter(({ leader }) => leader >= 0)
            .map((each: LedPartition) => [partitionKey(each), each.leader]),
        );
      } catch (error) {
        report('metadata', error);
      }
      const missing = [...lanes.values()].filter((lane) => !leaders.has(partitionKey(lane)));
      for (const lane of missing) delay(lane);
    })().finally(() => {
      looking = undefined;
      schedule();
    });
  }

  function ask(leader: number, own: readonly Lane[]): void {
    asking.add(leader);
    fetch(leader, own)
      .catch((error: unknown) => {
        leaders.clear();
        for (const lane of own) delay(lane);
        report('fetch', error);
      })
      .finally(() => {
        asking.delete(leader);
        schedule();
      });
  }

  async function fetch(leader: number, own: readonly Lane[]): Promise<void> {
    const isBusy = [...lanes.values()].some(
      (lane) => lane.fetched && leaders.get(partitionKey(lane)) === leader,
    );
    const from = turn++ % own.length;
    const rotated = [...own.slice(from), ...own.slice(0, from)];
    const payload = {
      isolationLevel: READ_COMMITTED,
      maxWaitTime: isBusy ? Math.min(SHORT_WAIT, options.maxWait) : options.maxWait,
      minBytes: 1,
      maxBytes,
      // In turn, so that no partition keeps the others from filling the answer.
      topics: byTopic(rotated, ({ partition, next }) => ({
        partition,
        fetchOffset: String(next),
        maxBytes: options.maxBytesPerPartition,
      })),
    };
    const broker = await cluster.broker(leader);
    const answer = await send<FetchedPartition[]>(broker, 'Fetch', payload, {
      decode: decodeFetchResponse,
      keepErrors: true,
    });
    options.onAnswered?.();
    const asked = new Map(own.map((lane) => [partitionKey(lane), lane]));
    for (const fetched of answer) {
      const lane = asked.get(partitionKey(fetched));
      if (lane && isCurrent(lane)) arrive(lane, fetched);
    }
  }

  function arrive(lane: Lane, fetched: FetchedPartition): void {
    const { topic, partition, errorCode } = fetched;
    if (errorCode === OUT_OF_RANGE) {
      lanes.delete(partitionKey(lane));
      options.onOutOfRange({ topic, partition, offset: lane.next }, lane.token);
      return;
    }
    if (errorCode !== 0) {
      leaders.delete(partitionKey(lane));
      delay(lane);
      report(`fetch ${topic}-${partition}`, errorOfCode(errorCode));
      return;
    }
    lane.backoff.reset();
    if (fetched.records.length === 0) return;
    lane.fetched = fetched;
    if (!lane.taking) take(lane).catch((error: unknown) => fail(placed(error, lane)));
  }

  /** Hands over what was fetched, and what is fetched meanwhile. */
  async function take(lane: Lane): Promise<void> {
    lane.taking = true;
    // A lane that was replaced may still have a batch with its handler.
    await handing.get(partitionKey(lane));
    while (lane.fetched && isCurrent(lane)) {
      const { records, aborted, lastStableOffset } = lane.fetched;
      const batches = createRecordBatches(lane, options.limits, lane.next);
      for await (const visible of readRecordSet(records, lane.next, aborted)) {
        for (const record of visible.records) {
          const full = batches.addPlaced(visible.bytes, record);
          if (!full) continue;
          await hand(lane, full, lastStableOffset);
          if (!isCurrent(lane)) return;
        }
        lane.next = visible.next;
      }
      const last = batches.take(lane.next);
      lane.fetched = undefined;
      // The next fetch is under way while the last batch of this one waits.
      schedule();
      if (last && isCurrent(lane)) await hand(lane, last, lastStableOffset);
    }
    lane.taking = false;
  }

  async function hand(lane: Lane, batch: RawBatch, end: number): Promise<void> {
    const handed = options.onBatch(batch, lane.token, end);
    handing.set(
      partitionKey(lane),
      handed.catch(() => undefined),
    );
    await handed;
  }

  function delay(lane: Lane): void {
    lane.notBefore = performance.now() + lane.backoff.next();
  }

  function report(operation: string, error: unknown): void {
    const failure = kafkaError(error, operation);
    if (failure instanceof RetryableError) options.onRetrying(operation, failure);
    else fail(failure);
  }

  function fail(error: unknown): void {
    if (failed) return;
    failed = true;
    clearTimeout(timer);
    lanes.clear();
    options.onFailed(error);
  }

  return {
    read(token, positions) {
      for (const { topic, partition, offset } of positions) {
        const lane: Lane = {
          topic,
          partition,
          token,
          next: offset,
          fetched: undefined,
          taking: false,
          backoff: createBackoff(FIRST_WAIT, LONGEST_WAIT),
          notBefore: 0,
        };
        lanes.set(partitionKey(lane), lane);
      }
      schedule();
    },
    pause(partitions) {
      for (const partition of partitions) lanes.delete(partitionKey(partition));
      // What they held was in the way of other partitions' fetches.
      schedule();
    },
    end(token) {
      for (const [key, lane] of lanes) if (token === undefined || lane.token === token) lanes.delete(key);
      if (token === undefined) {
        failed = true;
        clearTimeout(timer);
      } else schedule();
    },
  };
}

function placed(error: unknown, { topic, partition }: Partition): unknown {
  return error instanceof InputError
    ? new InputError(`${topic}-${partition} ${error.message}`, { cause: error })
    : error;
}

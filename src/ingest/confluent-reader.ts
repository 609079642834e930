import { setTimeout as sleep } from 'node:timers/promises';
import { HungError } from '../errors.ts';
import type { Partition, Position, RawBatch } from '../types.ts';
import { CODE, libraryCode } from './confluent-errors.ts';
import { called, returned, type LibraryConsumer, type LibraryMessage } from './confluent-library.ts';
import { partitionKey } from './partition-key.ts';
import { createRecordBatches, type RecordBatches, type RecordLimits } from './record-batches.ts';

/** What {@link createReader} needs. */
export interface ReaderOptions {
  readonly consumer: LibraryConsumer;
  readonly limits: RecordLimits;
  readonly onBatch: (batch: RawBatch, token: number, end: number) => Promise<void>;
  /** Whether something else waits for what polls bring. */
  readonly isAnswerDue: () => boolean;
  readonly onOutOfRange: (position: Position, token: number) => void;
  /** An error of librdkafka's that it goes on after. */
  readonly onError: (error: unknown) => void;
  /** With what `onBatch` threw, or HungError: nothing more is read. */
  readonly onFailed: (error: unknown) => void;
}

/** Takes messages out of librdkafka's queue; meanwhile librdkafka serves rebalances, and sees that this process lives. */
export interface Reader {
  /** Polls until `close`, whatever fails. */
  run(): void;
  /** See {@link KafkaClient.read}; the partitions are assigned, and paused. */
  read(token: number, positions: readonly Position[]): void;
  /** See {@link KafkaClient.pause}. */
  pause(partitions: readonly Partition[]): void;
  /** Hands nothing more over of what is read now. */
  end(): void;
  /** Polls soon, because an answer is due. */
  hasten(): void;
  /** Resolves when nothing is polled any more, and throws HungError when librdkafka hangs: then nothing more may be asked of it. */
  close(): Promise<void>;
}

/** One partition while it is read. Replaced as a whole when reading starts anew, so that what is under way finds itself gone. */
interface Lane extends Partition {
  readonly token: number;
  readonly gathered: RecordBatches;
  /** Offset of the next message to take out of the queue. */
  next: number;
  /** librdkafka reads from `next` on. */
  isReading: boolean;
  /** Batches that are not handed over yet; the first is under way. */
  readonly waiting: RawBatch[];
  /** Paused, since the handler is slower than a poll may wait. */
  isHeld: boolean;
  /** Where the log ended when that was last reached. */
  end: number;
  /** The offset to read does not exist. */
  isLeft: boolean;
  /** The offset to which librdkafka was sent back when it had gone elsewhere. */
  sentBack: number;
}

/** Longest wait for a first message; seeks and pauses wait for it. */
const POLL_MILLIS = 100;
/** Most messages of a poll: their objects are made in one go on the main thread. */
const POLL_MESSAGES = 2000;
/** How long a poll may be put off for slow handlers; then their partitions are paused, which costs fetching again. */
const HOLD_MILLIS = 250;
const SEEK_MILLIS = 5000;

/** Makes a reader for a connected consumer. */
export function createReader(options: ReaderOptions): Reader {
  const { consumer } = options;
  const lanes = new Map<string, Lane>();
  let pausing: Partition[] = [];
  const closing = new AbortController();
  let hasFailed = false;
  let hung: HungError | undefined;
  let running: Promise<void> = Promise.resolve();
  let onDrained: () => void = () => undefined;

  const isCurrent = (lane: Lane) => lanes.get(partitionKey(lane)) === lane;

  consumer.setDefaultConsumeTimeout(POLL_MILLIS);
  // Else it waits as long for each further message.
  consumer.setDefaultIsTimeoutOnlyForFirstMessage(true);
  // Events, not the result: they tell messages and ends in their order.
  consumer.on('data', guarded(sort));
  consumer.on('partition.eof', guarded(reachEnd));

  async function poll(): Promise<void> {
    while (!closing.signal.aborted) {
      await returned(steer());
      const polled = called((done) => consumer.consume(POLL_MESSAGES, done)).catch((error: unknown) => {
        options.onError(error);
        // Some come again at once.
        return sleep(POLL_MILLIS);
      });
      await returned(polled);
      for (const lane of lanes.values()) hand(lane, lane.gathered.take(lane.next));
      await drained();
    }
  }

  /** Seeks, pauses and resumes: only here, where no poll is under way that could bring messages from before. */
  async function steer(): Promise<void> {
    const paused = pausing.splice(0).filter((each) => !lanes.has(partitionKey(each)));
    if (paused.length > 0) attempt(() => consumer.pause(paused));
    const idle = [...lanes.values()].filter(({ waiting, isLeft }) => waiting.length === 0 && !isLeft);
    await Promise.all(idle.filter(({ isReading }) => !isReading).map(seek));
    for (const lane of idle.filter(({ isHeld }) => isHeld)) {
      lane.isHeld = false;
      attempt(() => consumer.resume([lane]));
    }
  }

  async function seek(lane: Lane): Promise<void> {
    const { topic, partition, next } = lane;
    try {
      await called((done) => consumer.seek({ topic, partition, offset: next }, SEEK_MILLIS, done));
      if (!isCurrent(lane)) return;
      consumer.resume([lane]);
      lane.isReading = true;
    } catch (error) {
      // Just assigned: librdkafka begins with it in a moment.
      if (isCurrent(lane) && libraryCode(error) !== CODE.state) options.onError(error);
    }
  }

  function sort({ topic, partition, offset, timestamp, key, value, headers }: LibraryMessage): void {
    const lane = lanes.get(partitionKey({ topic, partition }));
    if (!lane?.isReading || leftBehind(lane, offset)) return;
    lane.next = offset + 1;
    const named = headers
      ?.flatMap((each) => Object.entries(each))
      .map(([name, content]) => ({ name, value: content }));
    hand(lane, lane.gathered.add({ offset, timestamp, key, value, headers: named ?? null }));
  }

  /** Behind the last message there may be records that nobody may see. */
  function reachEnd({ topic, partition, offset }: Position): void {
    const lane = lanes.get(partitionKey({ topic, partition }));
    if (!lane?.isReading || leftBehind(lane, offset)) return;
    lane.next = offset;
    lane.end = offset;
  }

  /**
   * Whether librdkafka went on elsewhere because the offset to read does not exist: at the beginning of the log, before it
   * or behind it. (What compaction and transactions leave out lies behind the beginning.) It may also have gone there for an
   * offset that it read before, so it is sent back once.
   */
  function leftBehind(lane: Lane, offset: number): boolean {
    if (offset === lane.next) return false;
    if (offset > lane.next && (watermarks(lane)?.lowOffset ?? 0) <= lane.next) return false;
    lane.isReading = false;
    lane.isLeft = lane.sentBack === lane.next;
    lane.sentBack = lane.next;
    if (lane.isLeft && lane.waiting.length === 0) leave(lane);
    return true;
  }

  /** Only when all messages before are handed over: it is the next one that is not there. */
  function leave(lane: Lane): void {
    const { topic, partition, next, token } = lane;
    const last = lane.gathered.take(next);
    if (last) {
      hand(lane, last);
      return;
    }
    lanes.delete(partitionKey(lane));
    pausing.push({ topic, partition });
    options.onOutOfRange({ topic, partition, offset: next }, token);
  }

  function watermarks({ topic, partition }: Partition) {
    return attempt(() => consumer.getWatermarkOffsets(topic, partition));
  }

  function hand(lane: Lane, batch: RawBatch | undefined): void {
    if (!batch) return;
    lane.waiting.push(batch);
    if (lane.waiting.length === 1) deliver(lane).catch(fail);
  }

  async function deliver(lane: Lane): Promise<void> {
    for (let batch = lane.waiting[0]; batch && isCurrent(lane); batch = lane.waiting[0]) {
      const end = lane.end >= lane.next ? lane.end : Math.max(watermarks(lane)?.highOffset ?? 0, lane.next);
      await options.onBatch(batch, lane.token, end);
      lane.waiting.shift();
    }
    if (lane.isLeft && isCurrent(lane)) leave(lane);
    onDrained();
  }

  /** Waits until all handlers are done, or too long; then holds the partitions of those that are not. */
  async function drained(): Promise<void> {
    const busy = () => [...lanes.values()].filter(({ waiting, isHeld }) => waiting.length > 0 && !isHeld);
    if (busy().length === 0) return;
    const patience = new AbortController();
    const late = sleep(HOLD_MILLIS, true, { signal: patience.signal }).catch(() => true);
    // The answer to a commit, which may be what they wait for, comes by polls.
    while (busy().length > 0 && !closing.signal.aborted && !options.isAnswerDue()) {
      const next = new Promise<false>((resolve) => {
        onDrained = () => resolve(false);
      });
      if (!(await Promise.race([next, late]))) continue;
      const slow = busy();
      for (const lane of slow) lane.isHeld = true;
      attempt(() => consumer.pause(slow));
    }
    patience.abort();
  }

  /** Runs what fails when partitions were taken away a moment ago: then nothing is left to do for them. */
  function attempt<Result>(work: () => Result): Result | undefined {
    try {
      return work();
    } catch (error) {
      if (libraryCode(error) === undefined) fail(error);
      return undefined;
    }
  }

  /** What is thrown in a listener would end the process, from within the library. */
  function guarded<Event>(listen: (event: Event) => void): (event: Event) => void {
    return (event) => {
      try {
        listen(event);
      } catch (error) {
        fail(error);
      }
    };
  }

  /** Polls go on, for answers to commits come by them. */
  function fail(error: unknown): void {
    hasFailed = true;
    lanes.clear();
    options.onFailed(error);
    onDrained();
  }

  return {
    run() {
      running = poll().catch((error: unknown) => {
        if (error instanceof HungError) hung = error;
        fail(error);
      });
    },
    read(token, positions) {
      if (hasFailed || closing.signal.aborted) return;
      for (const { topic, partition, offset } of positions) {
        lanes.set(partitionKey({ topic, partition }), {
          topic,
          partition,
          token,
          gathered: createRecordBatches({ topic, partition }, options.limits, offset),
          next: offset,
          isReading: false,
          waiting: [],
          isHeld: false,
          end: -1,
          isLeft: false,
          sentBack: -1,
        });
      }
    },
    pause(partitions) {
      for (const partition of partitions) lanes.delete(partitionKey(partition));
      pausing = [...pausing, ...partitions];
    },
    end() {
      lanes.clear();
      onDrained();
    },
    hasten: () => onDrained(),
    async close() {
      closing.abort();
      lanes.clear();
      onDrained();
      await running;
      if (hung) throw hung;
    },
  };
}

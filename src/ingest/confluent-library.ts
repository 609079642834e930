import { HungError, messageOf, MisconfiguredError } from '../errors.ts';
import type { Partition, Position } from '../types.ts';

const NAME = '@confluentinc/kafka-javascript';

/** An error of librdkafka. `code`: of the Kafka protocol where positive, of librdkafka itself where negative (rdkafka.h, rd_kafka_resp_err_t). */
export interface LibraryError extends Error {
  readonly code: number;
}

/** A message as the library gives it. */
export interface LibraryMessage extends Position {
  readonly value: Buffer | null;
  readonly key: Buffer | null;
  /** Milliseconds UTC; -1 where there is none. */
  readonly timestamp: number;
  readonly headers?: readonly Readonly<Record<string, Buffer>>[];
}

type Callback = (error: LibraryError | null | undefined) => void;

/** What Sluice uses of the library's `KafkaConsumer`; its own types leave out half of it. Synchronous methods throw LibraryError. */
export interface LibraryConsumer {
  connect(options: { readonly allTopics: boolean; readonly timeout: number }, done: Callback): void;
  disconnect(done: Callback): void;
  subscribe(topics: readonly string[]): void;
  unsubscribe(): void;
  assign(partitions: readonly (Partition & { readonly offset?: number })[]): void;
  unassign(): void;
  incrementalAssign(partitions: readonly (Partition & { readonly offset?: number })[]): void;
  incrementalUnassign(partitions: readonly Partition[]): void;
  /** Whether what was assigned is lost: only while its revocation waits to be acknowledged. */
  assignmentLost(): boolean;
  rebalanceProtocol(): 'NONE' | 'EAGER' | 'COOPERATIVE';
  pause(partitions: readonly Partition[]): void;
  resume(partitions: readonly Partition[]): void;
  seek(position: Position, timeout: number, done: Callback): void;
  /** Takes up to so many messages out of the queue; they come as events before `done` is called. */
  consume(most: number, done: Callback): void;
  /** Queues a commit; its answer goes to the property `offset_commit_cb`. */
  commit(positions: readonly (Position & { readonly metadata?: string })[]): void;
  /** As the last fetch saw them; throws before the first. */
  getWatermarkOffsets(
    topic: string,
    partition: number,
  ): { readonly lowOffset: number; readonly highOffset: number };
  setDefaultConsumeTimeout(millis: number): void;
  setDefaultIsTimeoutOnlyForFirstMessage(isOnly: boolean): void;
  on(event: 'data', listener: (message: LibraryMessage) => void): unknown;
  on(event: 'partition.eof', listener: (position: Position) => void): unknown;
  /** `event.error`: a connection that failed, without a code; `error`: what `oauthbearer_token_refresh_cb` threw. */
  on(event: 'event.error' | 'error', listener: (error: Error) => void): unknown;
  on(
    event: 'event.log',
    listener: (line: { readonly severity: number; readonly message: string }) => void,
  ): unknown;
}

/** The module, as far as Sluice uses it. */
export interface Library {
  /** With topic properties as a second argument those in `properties` would not count, not even where the second is empty. */
  readonly KafkaConsumer: new (properties: Readonly<Record<string, unknown>>) => LibraryConsumer;
}

/** Loads the optional package. Throws MisconfiguredError when it is not there, or has no binary for this Node. */
export async function loadLibrary(name: string = NAME): Promise<Library> {
  try {
    // By a name that the compiler does not follow: the package need not be there when Sluice is built or installed.
    const loaded = (await import(name)) as { readonly default: Library };
    return loaded.default;
  } catch (error) {
    throw new MisconfiguredError(
      `kafka.client: expected the package ${name} with a binary for Node ${process.version}, got: ${messageOf(error).split('\n')[0]}; ` +
        `install it with \`npm install ${name}\` (and let its install script run, which downloads or compiles librdkafka), or use client: kafkajs`,
      { cause: error },
    );
  }
}

/** Calls a function that takes a callback last. Rejects with LibraryError. */
export function called(start: (done: Callback) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    start((error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}

/** Seconds that a call may take which librdkafka itself bounds by less. */
const PATIENCE = 30;

/**
 * The result of a call to librdkafka. Throws HungError when it does not return, and will not: librdkafka waits until a time
 * of the wall clock, so that one that is set back makes it wait as much longer.
 */
export async function returned<Result>(call: Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const never = new Promise<never>((_resolve, reject) => {
    // Counted, since a process that was stopped finds all of its time gone at once when it goes on.
    let waits = 0;
    timer = setInterval(() => {
      if (++waits < PATIENCE) return;
      reject(
        new HungError(
          `librdkafka did not return within ${PATIENCE} s from a call that it bounds by less: was the wall clock set back?`,
        ),
      );
    }, 1000);
  });
  try {
    return await Promise.race([call, never]);
  } finally {
    clearInterval(timer);
  }
}

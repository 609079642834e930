import { stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { InputError } from '../errors.ts';
import type { SourceHandlers } from '../ports.ts';
import type { FileSourceConfig } from './config.ts';
import { isWhole, type FileLane } from './file-lane.ts';
import { readFileBytes, readStreamBytes } from './file-reader.ts';
import { isRemote, readFailure, STDIN } from './inputs.ts';
import type { LineBatch } from './line-batches.ts';
import type { ArchiveSlice } from './parquet-query.ts';
import { isParquet, type ParquetBatch, type ParquetReader } from './parquet-reader.ts';
import type { RemoteInputs } from './remote-inputs.ts';

/** How long lines of standard input wait for more to travel with. */
const SLOW_MILLIS = 100;

/** What {@link createLaneReader} reads with. */
export interface LaneReaderOptions {
  readonly slice: ArchiveSlice | undefined;
  readonly stdin: AsyncIterable<Buffer | string>;
  /** Ends reading. */
  readonly signal: AbortSignal;
  readonly remote: RemoteInputs;
  readonly parquet: ParquetReader;
}

/** For whom a lane is read. */
export interface Reading {
  readonly handlers: SourceHandlers;
  readonly token: number;
  /** The lane that comes after it. */
  readonly following?: FileLane | undefined;
}

/**
 * Makes the function that reads a lane to its present end, lines or rows, and hands over what it holds. With `atEnd` a last
 * line without a newline is a message. Errors of reading are kept in the lane, those of the handlers are thrown.
 */
export function createLaneReader(
  config: FileSourceConfig,
  { slice, stdin, signal, remote, parquet }: LaneReaderOptions,
): (lane: FileLane, atEnd: boolean, reading: Reading) => Promise<void> {
  async function handOver(
    lane: FileLane,
    batches: readonly (LineBatch | ParquetBatch)[],
    handlers: SourceHandlers,
    token: number,
  ) {
    for (const batch of batches) {
      // Standard input cannot be read again: what is cut off it must be handed over.
      if (signal.aborted && lane.path !== STDIN) return;
      const { partition, next: first } = lane;
      const placed = {
        offsets: consecutive(first, batch.rows),
        timestamps: new Float64Array(batch.rows).fill(NaN),
        next: first + batch.rows,
        ...batch,
      };
      lane.next = placed.next;
      const { topic } = config;
      await handlers.batch({ topic, partition, ...placed, receivedAt: Date.now(), first }, token);
    }
  }

  /** Reads a lane to its present end. Errors of reading are kept in the lane, those of the handlers are thrown. */
  async function readLane(lane: FileLane, atEnd: boolean, reading: Reading): Promise<void> {
    if (lane.path === STDIN) return await readLines(lane, lane.path, atEnd, reading);
    try {
      const path = await untilStopped(open(lane, reading.following)).catch(noteFailure(lane));
      if (path === undefined) return;
      if (lane.kind === 'parquet') await readRows(lane, path, reading);
      else await readLines(lane, path, atEnd || isWhole(lane), reading);
      if (isRemote(lane.path) && !lane.failure && !signal.aborted) await remote.ended(lane.path, lane.next);
    } finally {
      // A stop does not wait for a download; what it leaves is removed by the next run.
      const released = isRemote(lane.path) ? remote.release(lane.path) : undefined;
      if (!signal.aborted) await released;
    }
  }

  /** Where the lane's file lies here. */
  async function open(lane: FileLane, following: FileLane | undefined): Promise<string> {
    const next = following && isRemote(following.path) ? following.path : undefined;
    const path = isRemote(lane.path) ? await remote.open(lane.path, next) : lane.path;
    lane.size ||= (await stat(path)).size;
    if (lane.kind === 'unknown' && (await isParquet(path))) lane.kind = 'parquet';
    return path;
  }

  async function readRows(lane: FileLane, path: string, { handlers, token }: Reading): Promise<void> {
    const rows = parquet.read(path, {
      from: lane.next,
      slice,
      batchMessages: config.batch_messages,
      batchBytes: config.batch_bytes,
    });
    try {
      for (;;) {
        const read = await untilStopped(rows.next()).catch(noteFailure(lane));
        if (!read || read.done) break;
        const { total, ...batch } = read.value;
        await handOver(lane, [batch], handlers, token);
        lane.read = Math.floor((lane.size * batch.next) / total);
      }
      if (!signal.aborted) lane.read = lane.size;
    } finally {
      await rows.return(undefined);
    }
  }

  function noteFailure(lane: FileLane): (error: unknown) => undefined {
    return (error) => {
      lane.failure = readFailure(lane.path, error);
    };
  }

  async function readLines(
    lane: FileLane,
    path: string,
    atEnd: boolean,
    { handlers, token }: Reading,
  ): Promise<void> {
    const progress = {
      onRead: (bytes: number) => {
        lane.read += bytes;
        lane.size = Math.max(lane.size, lane.read);
      },
      onKind: (kind: 'gzip' | 'plain') => {
        // An empty file may become anything.
        if (lane.read > 1) lane.kind = kind;
      },
    };
    const chunks =
      lane.path === STDIN ? readStreamBytes(stdin, progress) : readFileBytes(path, lane.read, progress);
    try {
      for (;;) {
        const reading = chunks.next();
        // Nobody can tell whether more will come: what a slow stream has delivered must not wait for a full batch.
        if (lane.path === STDIN && (await isSlow(reading)))
          await handOver(lane, lane.lines.flush(false), handlers, token);
        const chunk = await untilStopped(reading).catch(noteFailure(lane));
        if (signal.aborted && lane.path !== STDIN) return;
        if (!chunk || chunk.done) break;
        await handOver(lane, lane.lines.push(chunk.value), handlers, token);
      }
      // An unfinished line before a damage is no message: the rest of it may come back with a repaired file.
      const ended = atEnd || lane.kind === 'gzip' || lane.path === STDIN;
      const isLast = !lane.failure && !signal.aborted && ended;
      await handOver(lane, lane.lines.flush(isLast), handlers, token);
      const missing = lane.lines.missing();
      if (missing > 0 && !lane.failure) {
        lane.failure = new InputError(
          `${lane.path}: expected at least the ${lane.next} lines that are committed, got ${lane.next - missing}: ` +
            'the file was cut or replaced; give new content a new file name',
        );
      }
    } finally {
      // Standard input may never deliver again, so its generator cannot be awaited.
      if (lane.path === STDIN) chunks.return(undefined).catch(() => undefined);
      else await chunks.return(undefined);
    }
  }

  /** The value, or undefined when the source is stopped first. */
  function untilStopped<T>(value: Promise<T>): Promise<T | undefined> {
    if (signal.aborted) return Promise.resolve(undefined);
    return new Promise((resolve, reject) => {
      const onAbort = () => resolve(undefined);
      signal.addEventListener('abort', onAbort, { once: true });
      value.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
    });
  }

  return readLane;
}

function consecutive(first: number, count: number): Float64Array<ArrayBuffer> {
  const offsets = new Float64Array(count);
  for (let at = 0; at < count; at++) offsets[at] = first + at;
  return offsets;
}

/** Whether a read takes long enough for what came before it to be handed over. */
async function isSlow(reading: Promise<unknown>): Promise<boolean> {
  const waiting = new AbortController();
  const slow = sleep(SLOW_MILLIS, true, { signal: waiting.signal }).catch(() => false);
  const done = reading.then(
    () => false,
    () => false,
  );
  const result = await Promise.race([done, slow]);
  waiting.abort();
  return result;
}

import { stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { FencedError, InputError, messageOf, MisconfiguredError } from '../errors.ts';
import type { Source, SourceHandlers } from '../ports.ts';
import type { FileSourceConfig } from './config.ts';
import { readFileBytes, readStreamBytes } from './file-reader.ts';
import { readFailure, resolveInputs, STDIN } from './inputs.ts';
import { createLineBatches, type LineBatch, type LineBatches } from './line-batches.ts';
import { takeOverPositions, type PositionFile } from './position-file.ts';

/** How long lines of standard input wait for more to travel with. */
const SLOW_MILLIS = 100;

/** What {@link createFileSource} needs beside its configuration. */
export interface FileSourceOptions {
  /** Where positions are kept; one running process per file, a second one fences the first. */
  readonly positionFile: string;
  /** How often growing files are looked at when following, milliseconds (default 250). */
  readonly pollMillis?: number;
  /** What `-` reads (default `process.stdin`). */
  readonly stdin?: AsyncIterable<Buffer | string>;
}

/** One input while it is read. */
interface Lane {
  readonly path: string;
  readonly partition: number;
  readonly lines: LineBatches;
  /** Offset of the next line to hand over. */
  next: number;
  /** Bytes of the file (compressed or plain) that were read, and its size as last seen. */
  read: number;
  size: number;
  kind: 'gzip' | 'plain' | 'unknown';
  failure: InputError | null;
}

/**
 * Lines of files as a log: one partition per file (by real path, numbered in the position file), the offset is the line's
 * number from 0; a line is `\n`- or `\r\n`-terminated, blank ones have offsets too. Files are read one after the other in
 * the order of the inputs; standard input beside them. Files must only grow: a changed line that was read before is not
 * noticed, a file that became shorter is an InputError.
 *
 * With `untilEnd` a last line without a newline is a message. Otherwise plain files are followed as they grow, and such
 * a line waits for its newline; gzip files and standard input end at their end, and when all inputs have ended, `run`
 * resolves. Globs are expanded when `run` starts. Standard input cannot be read again: its offsets go on from the
 * committed one, and what a failed run had read of it is lost.
 *
 * `assigned` is called once. `revoked` is never called: another process takes over without asking, and then `commit`
 * throws FencedError; until then commits are possible, also after `run` has resolved. A file that cannot be read to its
 * end makes `run` reject with InputError when everything before the damage, and all other files, are handed over.
 */
export function createFileSource(config: FileSourceConfig, options: FileSourceOptions): Source {
  const { positionFile, pollMillis = 250, stdin = process.stdin } = options;
  const stopping = new AbortController();
  let positions: PositionFile | null = null;
  let lanes: Lane[] = [];
  let files: ReadonlySet<number> = new Set();
  let fence: FencedError | null = null;

  async function assign(handlers: SourceHandlers): Promise<number> {
    const paths = await resolveInputs(config.inputs);
    const known = await takeOverPositions(positionFile);
    positions = known;
    const registry = await known.register(paths);
    files = new Set([...registry].flatMap(([path, partition]) => (path === STDIN ? [] : partition)));
    const { epoch: token } = known;
    // With those that are read no more: what their last commit names must be published all the same.
    const all = new Set([...registry.values(), ...known.partitions()]);
    const partitions = [...all].map((partition) => ({
      topic: config.topic,
      partition,
      ...known.committed(partition),
    }));
    const transactions = new Set(partitions.flatMap(({ transaction }) => transaction || []));
    await handlers.assigned({ token, partitions, transactions });
    // Only now: the recovery may have moved positions back.
    lanes = [...registry].map(([path, partition]) =>
      laneOf(path, partition, known.committed(partition).offset),
    );
    await Promise.all(lanes.filter(({ path }) => path !== STDIN).map(measure));
    return token;
  }

  function laneOf(path: string, partition: number, offset: number): Lane {
    const lines = createLineBatches(
      {
        batchMessages: config.batch_messages,
        batchBytes: config.batch_bytes,
        maxLineBytes: config.max_line_bytes,
      },
      path === STDIN ? 0 : offset,
    );
    return { path, partition, lines, next: offset, read: 0, size: 0, kind: 'unknown', failure: null };
  }

  async function handOver(
    lane: Lane,
    batches: readonly LineBatch[],
    handlers: SourceHandlers,
    token: number,
  ) {
    for (const batch of batches) {
      // Standard input cannot be read again: what is cut off it must be handed over.
      if (stopping.signal.aborted && lane.path !== STDIN) return;
      const { partition, next: first } = lane;
      lane.next += batch.rows;
      await handlers.batch(
        {
          topic: config.topic,
          partition,
          ...batch,
          offsets: consecutive(first, batch.rows),
          timestamps: new Float64Array(batch.rows).fill(NaN),
          receivedAt: Date.now(),
          first,
          next: lane.next,
        },
        token,
      );
    }
  }

  /** Reads a lane to its present end. Errors of reading are kept in the lane, those of the handlers are thrown. */
  async function readLane(
    lane: Lane,
    atEnd: boolean,
    handlers: SourceHandlers,
    token: number,
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
      lane.path === STDIN ? readStreamBytes(stdin, progress) : readFileBytes(lane.path, lane.read, progress);
    try {
      for (;;) {
        const reading = chunks.next();
        // Nobody can tell whether more will come: what a slow stream has delivered must not wait for a full batch.
        if (lane.path === STDIN && (await isSlow(reading)))
          await handOver(lane, lane.lines.flush(false), handlers, token);
        const chunk = await untilStopped(reading).catch((error: unknown) => {
          lane.failure = readFailure(lane.path, error);
        });
        if (stopping.signal.aborted && lane.path !== STDIN) return;
        if (!chunk || chunk.done) break;
        await handOver(lane, lane.lines.push(chunk.value), handlers, token);
      }
      // An unfinished line before a damage is no message: the rest of it may come back with a repaired file.
      const ended = atEnd || lane.kind === 'gzip' || lane.path === STDIN;
      const isLast = !lane.failure && !stopping.signal.aborted && ended;
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
    const { signal } = stopping;
    if (signal.aborted) return Promise.resolve(undefined);
    return new Promise((resolve, reject) => {
      const onAbort = () => resolve(undefined);
      signal.addEventListener('abort', onAbort, { once: true });
      value.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
    });
  }

  function stopAndThrow(error: unknown): never {
    stopping.abort();
    throw error;
  }

  async function readFiles(untilEnd: boolean, handlers: SourceHandlers, token: number): Promise<void> {
    let open = lanes.filter((lane) => lane.path !== STDIN);
    while (open.length > 0 && !stopping.signal.aborted) {
      for (const lane of open) {
        if (stopping.signal.aborted) return;
        if (lane.size > lane.read || lane.kind === 'unknown') await readLane(lane, untilEnd, handlers, token);
      }
      open = open.filter((lane) => !untilEnd && lane.kind !== 'gzip' && !lane.failure);
      if (open.length === 0) return;
      if (lanes.some((lane) => lane.failure)) stopping.abort();
      await sleep(pollMillis, undefined, { signal: stopping.signal }).catch(() => undefined);
      await Promise.all(open.map(measure));
    }
  }

  return {
    description: config.inputs.join(', '),
    async check() {
      try {
        await resolveInputs(config.inputs);
      } catch (error) {
        throw error instanceof InputError ? new MisconfiguredError(messageOf(error)) : error;
      }
    },
    async run(handlers, { untilEnd }) {
      const token = await assign(handlers);
      const standardInput = lanes.filter((lane) => lane.path === STDIN);
      const readings = [
        readFiles(untilEnd, handlers, token),
        ...standardInput.map((lane) => readLane(lane, true, handlers, token)),
      ];
      // With one of them failed, the other must not go on reading.
      const settled = await Promise.allSettled(readings.map((reading) => reading.catch(stopAndThrow)));
      for (const result of settled) if (result.status === 'rejected') throw result.reason;
      const failures = lanes.flatMap((lane) => lane.failure ?? []);
      if (fence) throw fence;
      if (failures.length === 0) return;
      const more = failures.length > 1 ? ` (and ${failures.length - 1} more files that cannot be read)` : '';
      throw new InputError(`${failures[0]!.message}${more}`);
    },
    async commit(token, moved, transaction) {
      if (!positions || token !== positions.epoch) {
        throw new FencedError(
          `expected a commit of assignment ${positions?.epoch ?? 'none'}, got one of ${token}`,
        );
      }
      try {
        await positions.commit(
          new Map(moved.map(({ partition, offset }) => [partition, offset])),
          transaction,
        );
      } catch (error) {
        // Whoever took over reads on from here; nothing comes back to this process.
        if (error instanceof FencedError) fence = error;
        stopping.abort();
        throw error;
      }
    },
    // An input that is gone is not known by its partition any more: what it held cannot be promised.
    readable: (wanted) => Promise.resolve(wanted.every(({ partition }) => files.has(partition))),
    stop: () => stopping.abort(),
    lag: () => [],
    remaining() {
      if (lanes.length === 0 || lanes.some((lane) => lane.path === STDIN)) return null;
      const totalBytes = lanes.reduce((sum, { size }) => sum + size, 0);
      return { bytes: totalBytes - lanes.reduce((sum, { read }) => sum + read, 0), totalBytes };
    },
    close() {
      stopping.abort();
      // A pipe that stays open would keep the process alive.
      if (lanes.some((lane) => lane.path === STDIN) && stdin === process.stdin) process.stdin.destroy();
      return Promise.resolve();
    },
  };
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

/** Notes a file's size; a file that lost bytes that were read, or is gone, fails its lane. */
async function measure(lane: Lane): Promise<void> {
  try {
    lane.size = (await stat(lane.path)).size;
    if (lane.size < lane.read) {
      lane.failure = new InputError(
        `${lane.path}: expected a file that only grows, got one that was cut or replaced`,
      );
    }
  } catch (error) {
    lane.failure = readFailure(lane.path, error);
  }
}

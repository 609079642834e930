import { setTimeout as sleep } from 'node:timers/promises';
import { FencedError, InputError, messageOf, MisconfiguredError } from '../errors.ts';
import type { Source, SourceHandlers } from '../ports.ts';
import type { FileSourceConfig } from './config.ts';
import { isWhole, laneOf, measure, type FileLane } from './file-lane.ts';
import { isRemote, resolveInputs, STDIN } from './inputs.ts';
import type { ArchiveSlice } from './parquet-query.ts';
import { createParquetReader } from './parquet-reader.ts';
import { createLaneReader } from './read-lane.ts';
import { createRemoteInputs, type RemoteInputsOptions } from './remote-inputs.ts';
import { takeOverPositions, type PositionFile } from './position-file.ts';

/** What {@link createFileSource} needs beside its configuration. */
export interface FileSourceOptions {
  /** Where positions are kept; one running process per file, a second one fences the first. */
  readonly positionFile: string;
  /** How often growing files are looked at when following, milliseconds (default 250). */
  readonly pollMillis?: number;
  /** What `-` reads (default `process.stdin`). */
  readonly stdin?: AsyncIterable<Buffer | string>;
  /** All inputs are files of an archive, and this is wanted of them. */
  readonly slice?: ArchiveSlice;
  /** How objects in S3 are fetched; without it they are refused. */
  readonly remote?: RemoteInputsOptions;
}

/**
 * Lines of files as a log: one partition per file (by real path, numbered in the position file), the offset is the line's
 * number from 0; a line is `\n`- or `\r\n`-terminated, blank ones have offsets too. Of a Parquet file (told by its first
 * bytes, as gzip is) the rows are the messages, and the offset is the row's number. Files are read one after the other in
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
  let lanes: FileLane[] = [];
  let files: ReadonlySet<number> = new Set();
  let fence: FencedError | null = null;
  const remote = createRemoteInputs(options.remote);
  const parquet = createParquetReader();
  const { signal } = stopping;
  const readLane = createLaneReader(config, { slice: options.slice, stdin, signal, remote, parquet });

  async function assign(handlers: SourceHandlers): Promise<number> {
    const paths = await resolveInputs(config.inputs);
    const known = await takeOverPositions(positionFile);
    positions = known;
    await remote.prepare();
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
      laneOf({ path, partition, offset: known.committed(partition).offset }, config),
    );
    for (const lane of lanes) if (isRemote(lane.path)) lane.size = remote.sizeOf(lane.path);
    await Promise.all(lanes.map(measure));
    return token;
  }

  function stopAndThrow(error: unknown): never {
    stopping.abort();
    throw error;
  }

  async function readFiles(untilEnd: boolean, handlers: SourceHandlers, token: number): Promise<void> {
    let waiting = lanes.filter(({ path, next }) => path !== STDIN && !remote.isDone(path, next));
    while (waiting.length > 0 && !stopping.signal.aborted) {
      for (const [index, lane] of waiting.entries()) {
        if (stopping.signal.aborted) return;
        if (lane.size > lane.read || lane.kind === 'unknown')
          await readLane(lane, untilEnd, { handlers, token, following: waiting[index + 1] });
      }
      waiting = waiting.filter((lane) => !untilEnd && !isWhole(lane) && !lane.failure);
      if (waiting.length === 0) return;
      if (lanes.some((lane) => lane.failure)) stopping.abort();
      await sleep(pollMillis, undefined, { signal: stopping.signal }).catch(() => undefined);
      await Promise.all(waiting.map(measure));
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
        ...standardInput.map((lane) => readLane(lane, true, { handlers, token })),
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
      parquet.close();
      options.remote?.close?.();
      // A pipe that stays open would keep the process alive.
      if (lanes.some((lane) => lane.path === STDIN) && stdin === process.stdin) process.stdin.destroy();
      return Promise.resolve();
    },
  };
}

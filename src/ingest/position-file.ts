import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { mkdir, open, readFile, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CorruptError, FencedError, messageOf, StoreError } from '../errors.ts';
import type { CommittedPosition } from '../ports.ts';
import { encodeRecord, foldRecords, readRecords, type PositionRecord } from './position-log.ts';

/** The position file of one owner, from its takeover until another process takes over. */
export interface PositionFile {
  /** Number of this takeover. */
  readonly epoch: number;
  /** The partition number of each real path: known ones keep theirs, new ones get the next, in the given order. */
  register(paths: readonly string[]): Promise<Map<string, number>>;
  /** Every partition that ever committed, also those of files that are no input any more. */
  partitions(): number[];
  /** What is committed for a partition; offset 0 and no transaction before its first commit. */
  committed(partition: number): Pick<CommittedPosition, 'offset' | 'transaction'>;
  /**
   * Moves positions, all or nothing, on disk when it resolves. Throws FencedError when another process has taken over:
   * then the commit counts for nobody, ever. Throws StoreError when the disk refuses and CorruptError when the file was
   * tampered with: then whether it counts is for the next owner to see, and the transaction's prepared files must stay.
   */
  commit(positions: ReadonlyMap<number, number>, transaction: string): Promise<void>;
}

/**
 * Takes over the position file at `path` (made when missing): from here on, commits of earlier owners fail. The file is a
 * log that is only ever appended to, so the order of its records decides who came first, also between two processes that
 * write at the same moment: a commit counts if no takeover stands between the owner's own and it. Throws CorruptError
 * when the file is damaged, StoreError when it cannot be written. For local file systems: appending must be atomic.
 */
export async function takeOverPositions(path: string): Promise<PositionFile> {
  const owner = randomUUID();
  // Before the first write: a damaged file stays as it is.
  const epoch = foldRecords((await readAll(path)).toString(), path).epoch + 1;
  await writing(path, async () => {
    await mkdir(dirname(path), { recursive: true });
    const takeover = { kind: 'takeover', version: 1, epoch, owner, at: new Date().toISOString() } as const;
    await withFile(path, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT, (file) =>
      append(file, takeover),
    );
    await withFile(dirname(path), constants.O_RDONLY, (directory) => directory.sync());
  });
  // After it: whatever the former owner committed before the takeover is in the file by now.
  const content = await readAll(path);
  let state = foldRecords(content.toString(), path);
  let read = content.length;
  if (state.owner !== owner) throw fenced(path);

  /**
   * Appends, then reads on from where this owner stopped reading: its record counts if no takeover came before it. Records
   * of fenced owners may have come as well; they count for nobody.
   */
  async function write(entry: PositionRecord): Promise<void> {
    const added = await writing(path, () =>
      withFile(path, constants.O_RDWR | constants.O_APPEND, async (file) => {
        await append(file, entry);
        return await readFrom(file, read);
      }),
    );
    const own = encodeRecord(entry);
    const end = added.indexOf(own);
    // Cut or replaced under way: whether the record counts is for the next owner to see, so this is no FencedError.
    if (end < 0)
      throw new CorruptError(`${path}: expected a file that only grows, got one that was cut or replaced`);
    const before = readRecords(added.subarray(0, end).toString(), path);
    if (before.some(({ kind }) => kind === 'takeover')) throw fenced(path);
    // What came after it is looked at before the next record.
    read += end + Buffer.byteLength(own);
  }

  return {
    epoch,
    async register(paths) {
      const files = new Map(state.files);
      let next = [...files.values()].reduce((most, partition) => Math.max(most, partition + 1), 0);
      const added = [...new Set(paths)].filter((name) => !files.has(name));
      for (const name of added) files.set(name, next++);
      if (added.length > 0) {
        await write({
          kind: 'files',
          owner,
          files: Object.fromEntries(added.map((name) => [name, files.get(name)!])),
        });
        state = { ...state, files };
      }
      return new Map(paths.map((name) => [name, files.get(name)!]));
    },
    partitions: () => [...state.committed.keys()],
    committed: (partition) => state.committed.get(partition) ?? { offset: 0, transaction: '' },
    async commit(positions, transaction) {
      await write({ kind: 'commit', owner, transaction, positions: Object.fromEntries(positions) });
      const committed = new Map(state.committed);
      for (const [partition, offset] of positions) committed.set(partition, { offset, transaction });
      state = { ...state, committed };
    },
  };
}

function fenced(path: string): FencedError {
  return new FencedError(
    `${path}: another process has taken over this position file; only one may run with it`,
  );
}

async function readAll(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return Buffer.alloc(0);
    throw new StoreError(`${path}: cannot read the position file: ${messageOf(error)}`);
  }
}

async function readFrom(file: FileHandle, start: number): Promise<Buffer> {
  const { size } = await file.stat();
  const buffer = Buffer.alloc(Math.max(0, size - start));
  const { bytesRead } = await file.read(buffer, 0, buffer.length, start);
  return buffer.subarray(0, bytesRead);
}

/** One write call: continuing a short one could put another process's record into the middle of this one. */
async function append(file: FileHandle, entry: PositionRecord): Promise<void> {
  const line = Buffer.from(encodeRecord(entry));
  const { bytesWritten } = await file.write(line);
  if (bytesWritten < line.length)
    throw new Error(`no space left: ${bytesWritten} of ${line.length} bytes written`);
  await file.sync();
}

async function withFile<T>(path: string, flags: number, use: (file: FileHandle) => Promise<T>): Promise<T> {
  const file = await open(path, flags, 0o644);
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}

async function writing<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new StoreError(`${path}: cannot write the position file: ${messageOf(error)}`);
  }
}

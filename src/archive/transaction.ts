import { randomBytes } from 'node:crypto';
import { CorruptError, FencedError, StoreError } from '../errors.ts';
import { free } from '../memory.ts';
import { MAX_TRANSACTION_AGE } from '../ports.ts';
import type { Store } from '../ports.ts';
import type { DeadLetter, FlushReason, Position, PreparedFile, Transaction } from '../types.ts';
import type { SealedBuffers, ShardBuffer } from './buffers.ts';
import { mapBounded } from '../concurrency.ts';
import type { CrashPoint } from './crash.ts';
import { deadLetterFiles } from './dead-letters.ts';
import { checksum, type EncodedFile, type EncodeTask } from './encode.ts';
import type { Persist } from './persist.ts';

/** Files of one flush that are encoded, written or published at a time. */
const PARALLEL = 32;

/** What a flush and a recovery work with. None of it is known to the flow itself. */
export interface TransactionPorts {
  readonly store: Store;
  /** Name of the pipeline, for the manifest. */
  readonly pipeline: string;
  /** Makes one Parquet file, in a worker. */
  readonly encode: (task: EncodeTask) => Promise<EncodedFile>;
  /** The source's `commit` and `readable`. */
  readonly commit: (token: number, positions: readonly Position[], transaction: string) => Promise<void>;
  readonly readable: (positions: readonly Position[]) => Promise<boolean>;
  /** Whether dead letters become files. */
  readonly deadLetterFiles: boolean;
  /** Hands dead letters to whoever else keeps them; they are not settled before it resolves. */
  readonly onDeadLetters?: ((letters: readonly DeadLetter[]) => Promise<void>) | undefined;
  readonly format: Pick<EncodeTask, 'rowGroupRows' | 'compression' | 'version'>;
  /** Milliseconds UTC. */
  readonly now: () => number;
  /** Milliseconds of a clock that never goes back. */
  readonly clock: () => number;
  readonly crash: (point: CrashPoint) => void;
}

/** What one flush made durable. */
export interface Flushed {
  readonly transaction: Transaction;
  readonly rows: number;
  readonly deadLetters: number;
  readonly bytes: number;
}

/** A transaction id: sorts by time, unique, letters and digits and one underscore. */
export function transactionId(now: number): string {
  return `${new Date(now).toISOString().replace(/[-:.]/g, '')}_${randomBytes(6).toString('hex')}`;
}

/**
 * Makes sealed buffers one transaction: prepare the files, write the manifest, commit, publish. The commit is the point of
 * no return: before it, a failure discards everything and is thrown; after it, the files are published, or the error is
 * thrown and a recovery publishes them. While the store only cannot answer, it goes on trying.
 *
 * A commit that fails with FencedError did not happen, unless the error says that it may have. Then, and after any other
 * failure, the prepared files stay: a recovery reads the positions, and publishes or sweeps.
 */
export async function flushTransaction(
  sealed: SealedBuffers,
  token: number,
  reason: FlushReason,
  ports: TransactionPorts,
  persist: Persist,
): Promise<Flushed> {
  const { store, crash } = ports;
  const createdAt = ports.now();
  const started = ports.clock();
  const id = transactionId(createdAt);
  const prepared: PreparedFile[] = [];
  let transaction: Transaction;
  try {
    await prepareAll(sealed, id, prepared, ports, persist);
    const files = prepared.toSorted((a, b) => (a.key < b.key ? -1 : 1));
    const iso = new Date(createdAt).toISOString();
    const { partitions } = sealed;
    transaction = { version: 1, id, pipeline: ports.pipeline, createdAt: iso, reason, files, partitions };
    crash('before-manifest');
    await persist('manifest', id, () => store.writeManifest(transaction));
    crash('after-manifest');
    if (ports.clock() - started > MAX_TRANSACTION_AGE) {
      throw new StoreError(
        `transaction ${id}: the store took longer than ${MAX_TRANSACTION_AGE / 3_600_000} hours to take its files: ` +
          'they may have been swept meanwhile, so it is not committed; a restart reads its messages again',
      );
    }
  } catch (error) {
    await discard(store, prepared);
    throw error;
  }
  const positions = sealed.partitions.map(({ topic, partition, to }) => ({ topic, partition, offset: to }));
  crash('before-commit');
  try {
    await ports.commit(token, positions, id);
  } catch (error) {
    if (error instanceof FencedError && !error.mayHaveCommitted) await discard(store, prepared);
    throw error;
  }
  crash('after-commit');
  await publishAll(transaction, ports, persist, ['before-publish', 'after-publish']);
  if (!(await persist('finish', id, () => store.finish(transaction)))) {
    throw new StoreError(
      `transaction ${id}: another process found a file of it missing and undid it while it was published; a restart reads its messages again`,
    );
  }
  return {
    transaction,
    rows: transaction.partitions.reduce((sum, { rows }) => sum + rows, 0),
    deadLetters: transaction.partitions.reduce((sum, { deadLetters }) => sum + deadLetters, 0),
    bytes: transaction.files.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

/** Encodes and prepares all files; each is added to `prepared` once it is, also when another one fails. */
async function prepareAll(
  sealed: SealedBuffers,
  id: string,
  prepared: PreparedFile[],
  { store, encode, format, crash, ...ports }: TransactionPorts,
  persist: Persist,
): Promise<void> {
  const prepare = async (file: Omit<PreparedFile, 'handle'>, content: Uint8Array) => {
    crash('before-prepare');
    prepared.push(await persist('prepare', file.key, () => store.prepare(file, content)));
    crash('after-prepare');
  };
  await mapBounded(sealed.files, PARALLEL, async (shard: ShardBuffer, index) => {
    const { table, path, customer, chunks, rows } = shard;
    const { content, ...encoded } = await encode({ ...format, table, chunks, customer, transaction: id });
    for (const chunk of chunks.splice(0)) free(chunk);
    if (encoded.rows !== rows) {
      throw new CorruptError(
        `expected ${rows} rows in a file of ${path || 'the archive'}, got ${encoded.rows}`,
      );
    }
    const key = `${path}${id}-${index}.parquet`;
    const named = customer === undefined ? {} : { customer };
    await prepare({ key, kind: table, bytes: content.length, ...encoded, ...named }, content);
    free(content);
  });
  if (sealed.deadLetters.length === 0) return;
  const { onDeadLetters } = ports;
  if (onDeadLetters) await persist('dead letters', id, () => onDeadLetters(sealed.deadLetters));
  if (!ports.deadLetterFiles) return;
  for (const { key, content, rows } of deadLetterFiles(sealed.deadLetters, id)) {
    await prepare(
      { key, kind: 'dead_letters', bytes: content.length, rows, crc32: checksum(content) },
      content,
    );
  }
}

async function discard(store: Store, files: readonly PreparedFile[]): Promise<void> {
  // What cannot be removed now is swept by the next start; the reason for discarding matters more.
  await store.discard(files).catch(() => undefined);
}

/** Publishes all files of a committed transaction. One that cannot be does not keep the others invisible. */
export async function publishAll(
  { files }: Transaction,
  { store, crash }: Pick<TransactionPorts, 'store' | 'crash'>,
  persist: Persist,
  [before, after]: readonly [CrashPoint, CrashPoint],
): Promise<void> {
  const publish = async (file: PreparedFile) => {
    crash(before);
    try {
      await persist('publish', file.key, () => store.publish(file));
    } catch (error) {
      return { error };
    }
    crash(after);
    return undefined;
  };
  const failures = (await mapBounded(files, PARALLEL, publish)).filter((failure) => failure !== undefined);
  if (failures[0]) throw failures[0].error;
}

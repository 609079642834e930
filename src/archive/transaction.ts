import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { CorruptError, FencedError, RetryableError, messageOf } from '../errors.ts';
import type { Assignment, FlushReason, Position, PreparedFile, Store, Transaction } from '../types.ts';
import type { SealedBuffers, ShardBuffer } from './buffers.ts';
import { mapBounded } from './concurrency.ts';
import type { CrashPoint } from './crash.ts';
import { deadLetterFiles } from './dead-letters.ts';
import { checksum, type EncodedFile, type EncodeTask } from './encode.ts';

/** Files of one flush that are encoded, written or published at a time. */
const PARALLEL = 8;
const PUBLISH_ATTEMPTS = 8;

/** What a flush and a recovery work with. None of it is known to the flow itself. */
export interface TransactionPorts {
  readonly store: Store;
  /** Makes one Parquet file, in a worker. */
  readonly encode: (task: EncodeTask) => Promise<EncodedFile>;
  /** Moves the source's positions, all or nothing, naming the transaction. Throws FencedError when the token is stale. */
  readonly commit: (token: number, positions: readonly Position[], transaction: string) => Promise<void>;
  readonly format: Pick<EncodeTask, 'rowGroupRows' | 'compression' | 'version'>;
  readonly now: () => number;
  readonly crash: (point: CrashPoint) => void;
  readonly onPublishRetry?: ((fields: { key: string; attempt: number; error: string }) => void) | undefined;
  /** Milliseconds before the second attempt to publish, doubled each time. */
  readonly backoff?: number | undefined;
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
 * thrown and the next start's {@link recoverTransactions} publishes them.
 *
 * A commit that fails with FencedError did not happen. Of any other failure the outcome is unknown: the prepared files
 * stay, for a recovery that reads the positions to publish or to sweep.
 */
export async function flushTransaction(
  sealed: SealedBuffers,
  token: number,
  reason: FlushReason,
  ports: TransactionPorts,
): Promise<Flushed> {
  const { store, crash } = ports;
  const createdAt = ports.now();
  const id = transactionId(createdAt);
  const prepared: PreparedFile[] = [];
  let transaction: Transaction;
  try {
    await prepareAll(sealed, id, prepared, ports);
    const files = prepared.toSorted((a, b) => (a.key < b.key ? -1 : 1));
    const iso = new Date(createdAt).toISOString();
    transaction = { version: 1, id, createdAt: iso, reason, files, partitions: sealed.partitions };
    crash('before-manifest');
    await store.writeManifest(transaction);
    crash('after-manifest');
  } catch (error) {
    await discard(store, prepared);
    throw error;
  }
  const positions = sealed.partitions.map(({ topic, partition, to }) => ({ topic, partition, offset: to }));
  crash('before-commit');
  try {
    await ports.commit(token, positions, id);
  } catch (error) {
    if (error instanceof FencedError) await discard(store, prepared);
    throw error;
  }
  crash('after-commit');
  await publishAll(transaction, ports, 'before-publish', 'after-publish');
  await store.finish(id);
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
  { store, encode, format, crash }: TransactionPorts,
): Promise<void> {
  const prepare = async (file: Omit<PreparedFile, 'handle'>, content: Uint8Array) => {
    crash('before-prepare');
    prepared.push(await store.prepare(file, content));
    crash('after-prepare');
  };
  await mapBounded(sealed.files, PARALLEL, async (shard: ShardBuffer, index) => {
    const { path, customer, chunks, rows } = shard;
    const { content, ...encoded } = await encode({ ...format, chunks, customer, transaction: id });
    if (encoded.rows !== rows) {
      throw new CorruptError(
        `expected ${rows} rows in a file of ${path || 'the archive'}, got ${encoded.rows}`,
      );
    }
    const key = `${path}${id}-${index}.parquet`;
    const named = customer === undefined ? {} : { customer };
    await prepare({ key, kind: 'content', bytes: content.length, ...encoded, ...named }, content);
  });
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

async function publishAll(
  { files }: Transaction,
  { store, crash, onPublishRetry, backoff = 100 }: TransactionPorts,
  before: CrashPoint,
  after: CrashPoint,
): Promise<void> {
  const publish = async (file: PreparedFile) => {
    crash(before);
    for (let attempt = 1; ; attempt++) {
      try {
        await store.publish(file);
        break;
      } catch (error) {
        if (!(error instanceof RetryableError) || attempt >= PUBLISH_ATTEMPTS) return { error };
        onPublishRetry?.({ key: file.key, attempt, error: messageOf(error) });
        await delay(backoff * 2 ** (attempt - 1));
      }
    }
    crash(after);
    return undefined;
  };
  // One lost file must not keep the others invisible.
  const failures = (await mapBounded(files, PARALLEL, publish)).filter((failure) => failure !== undefined);
  if (failures[0]) throw failures[0].error;
}

/** What a recovery did: transactions and files that the process before it had committed and not finished. */
export interface Recovered {
  readonly partitions: number;
  readonly transactions: number;
  readonly files: number;
  /** Unfinished files of dead processes that were removed. */
  readonly swept: number;
}

/**
 * Before the first read of an assignment: publishes every transaction that its committed positions name, then removes
 * what no commit names. Throws CorruptError when a manifest is missing or damaged, LostFileError when a file is.
 */
export async function recoverTransactions(
  assignment: Assignment,
  ports: TransactionPorts,
): Promise<Recovered> {
  const { store, crash } = ports;
  const ids = new Set(assignment.partitions.map(({ transaction }) => transaction).filter((id) => id !== ''));
  let transactions = 0;
  let files = 0;
  crash('before-recovery');
  for (const id of ids) {
    const manifest = await store.readManifest(id);
    if (!manifest) {
      const named = assignment.partitions
        .filter((position) => position.transaction === id)
        .map(({ topic, partition, offset }) => `${topic}-${partition} at ${offset}`);
      throw new CorruptError(
        `the committed position of ${named.join(', ')} names transaction ${id}, but its manifest is missing: ` +
          'restore it from a backup, or point `archive.store` to the archive that those positions belong to',
      );
    }
    if (manifest.finished) continue;
    await publishAll(manifest.transaction, ports, 'during-recovery', 'during-recovery');
    await store.finish(id);
    transactions++;
    files += manifest.transaction.files.length;
  }
  crash('after-recovery');
  const swept = await store.sweep(ids);
  return { partitions: assignment.partitions.length, transactions, files, swept };
}

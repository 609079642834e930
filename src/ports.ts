/** The two ends of the pipeline, as the rest of it sees them. types.ts has the glossary. */
import type { Partition, Position, PreparedFile, RawBatch, Transaction } from './types.ts';

/** A committed position with the transaction that the commit carries as metadata (empty: none). */
export interface CommittedPosition extends Position {
  readonly transaction: string;
}

/** The right to read partitions. `token` names it in commits; a revoked or lost token's commit fails with FencedError. */
export interface Assignment {
  readonly token: number;
  /**
   * Per partition the next offset to read, and the transaction that its last commit names. A source that alone knows of
   * its partitions also lists those that are not read now: their last transaction may still be unpublished.
   */
  readonly partitions: readonly CommittedPosition[];
  /** Transactions that committed positions name, those of partitions that other members read included: never to be swept. */
  readonly transactions: ReadonlySet<string>;
}

/**
 * What a source calls, awaiting each call, so a slow handler is back-pressure. Any change of what is assigned ends the
 * token: `revoked` or `lost`, then `assigned` with a new token and everything that is owned from then on; reading goes on
 * from what is committed.
 */
export interface SourceHandlers {
  /** Before the first read of an assignment: recover what its commits name. Reading begins at what is committed when it resolves. */
  assigned(assignment: Assignment): Promise<void>;
  /** Resolves when there is room for the next batch of that partition. */
  batch(batch: RawBatch, token: number): Promise<void>;
  /** The assignment is about to end: a last flush may be committed within `limit` milliseconds; then it must be forgotten. */
  revoked(token: number, limit: number): Promise<void>;
  /** The assignment has ended without notice: nothing of it can be committed any more. */
  lost(token: number): void;
}

/** How far one partition is, in offsets. */
export interface PartitionLag extends Partition {
  /** The next offset to hand over. */
  readonly position: number;
  readonly committed: number;
  /** The offset that the next produced message will get, as last seen. */
  readonly end: number;
}

/** Where messages come from: a log of partitions with committed positions. Implementations pass test/contract/source.ts. */
export interface Source {
  /** What is read, for log lines and `check`: topics, or inputs. */
  readonly description: string;
  /** Proves that the source can be read; throws MisconfiguredError naming what cannot. */
  check(): Promise<void>;
  /**
   * Reads until `stop()`, or with `untilEnd` until every partition's end at that time. Rejects when reading fails, and with
   * FencedError when another process took over for good; a source whose partitions may come back goes on instead.
   */
  run(handlers: SourceHandlers, options: { readonly untilEnd: boolean }): Promise<void>;
  /**
   * Moves positions, all or nothing, naming the transaction. Tries again while the token is current. Throws FencedError when
   * it is not, or no longer; its `mayHaveCommitted` tells whether an unanswered attempt may have come through. Possible also
   * after `run` has resolved, until `close`.
   */
  commit(token: number, positions: readonly Position[], transaction: string): Promise<void>;
  /** Whether all of these offsets can still be read: they have not expired. */
  readable(positions: readonly Position[]): Promise<boolean>;
  /** Ends reading; `run` resolves once the handlers under way have settled. The assignment stays until `close`. */
  stop(): void;
  /** Messages and bytes that are known to be left, for progress; null where unknown. */
  remaining(): { readonly bytes: number; readonly totalBytes: number } | null;
  /** Assigned partitions of a source that knows their ends; else empty. */
  lag(): readonly PartitionLag[];
  /** Gives the assignment back. */
  close(): Promise<void>;
}

/** A manifest as it stands in a store: neither finished nor undone means that its files may not be visible yet. */
export interface Manifest {
  readonly transaction: Transaction;
  readonly finished: boolean;
  readonly undone: boolean;
}

/**
 * Where files go. Implementations pass test/contract/store.ts. Every method may throw RetryableError: the same call may be
 * made again, also when the one before did its work and only the answer was lost. StoreError: it cannot work until someone
 * mends what it names.
 */
export interface Store {
  /** Where it is, for log lines and errors: a path, an `s3://` URI. */
  readonly description: string;
  /** Proves that files can be written, published and removed; throws MisconfiguredError otherwise. */
  check(): Promise<void>;
  /** Uploads a file so that no reader sees it yet. */
  prepare(file: Omit<PreparedFile, 'handle'>, content: Uint8Array): Promise<PreparedFile>;
  /** Writes the manifest of a transaction, durable, never over an existing one. */
  writeManifest(transaction: Transaction): Promise<void>;
  /** Reads a manifest, and what was decided about it; undefined when there is none; throws CorruptError when it is damaged. */
  readManifest(id: string): Promise<Manifest | undefined>;
  /** Makes a prepared file visible. Idempotent: already visible with the same size is success. Throws LostFileError if it is nowhere. */
  publish(file: PreparedFile): Promise<void>;
  /**
   * Decides for good that a committed transaction is part of the archive: all its files are visible, from now on they may be
   * deleted or compacted by others, and no recovery looks for them. The manifest stays as a ledger entry. Idempotent. False:
   * it was undone before; of the two, whoever comes first decides.
   */
  finish(transaction: Transaction): Promise<boolean>;
  /**
   * Decides for good that a committed transaction did not happen, and removes its files, those included that others are
   * about to publish. Idempotent. False: it was finished before, and nothing is removed.
   */
  undo(transaction: Transaction): Promise<boolean>;
  /** Removes files that no reader may see any more, prepared or published: those of a transaction that did not happen. */
  discard(files: readonly PreparedFile[]): Promise<void>;
  /**
   * Removes what dead processes of this owner left behind: prepared files and manifests of transactions that are neither
   * finished nor in `keep`. Where live processes may share the owner, only what is older than any transaction that may
   * still commit ({@link MAX_TRANSACTION_AGE}). Returns how many files.
   */
  sweep(keep: ReadonlySet<string>): Promise<number>;
  /** Transactions that have a manifest, by id, which sorts by time; `finished`: or undone. */
  transactions(): Promise<readonly { readonly id: string; readonly finished: boolean }[]>;
  /** Visible files below a folder, by default the root with Sluice's own excluded; none where there is no such folder. */
  files(folder?: string): AsyncIterable<{ readonly key: string; readonly bytes: number }>;
  /** Content of a visible file; undefined when there is none. */
  read(key: string): Promise<Uint8Array<ArrayBuffer> | undefined>;
  close(): Promise<void>;
}

/**
 * A transaction that is older than this, in milliseconds of the process's own monotonic clock, does not commit any more;
 * a sweep leaves everything alone that is younger than twice as long by the store's clock. So nobody's files are swept
 * under a commit, however long the store was away.
 */
export const MAX_TRANSACTION_AGE = 12 * 3_600_000;

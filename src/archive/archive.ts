import { FencedError, StoreError } from '../errors.ts';
import type { Assignment, Store } from '../ports.ts';
import type { FlushReason, FlushReport, ScoredBatch } from '../types.ts';
import { createBuffers, type Buffers } from './buffers.ts';
import type { ArchiveConfig } from './config.ts';
import { createCrash, type CrashPoint } from './crash.ts';
import { dueIn, dueReason, hasRoom, type Fill } from './rotation.ts';
import { createPersist, type Persist, type PersistOptions } from './persist.ts';
import { recoverTransactions, type Recovered, type RecoveryPorts } from './recovery.ts';
import { flushTransaction, type TransactionPorts } from './transaction.ts';

/** What an archive is made of. */
export interface ArchiveOptions {
  readonly config: ArchiveConfig;
  readonly store: Store;
  /** Name of the pipeline, kept in manifests. */
  readonly pipeline?: string;
  /** Runs `encodeFile` in a worker. */
  readonly encode: TransactionPorts['encode'];
  /** The source's `commit`. */
  readonly commit: TransactionPorts['commit'];
  /** The source's `readable`; without it nothing can be read again. */
  readonly readable?: TransactionPorts['readable'];
  /** Whether dead letters become files (default: yes). */
  readonly deadLetterFiles?: boolean;
  /** Keeps dead letters elsewhere, beside their files or instead of them. */
  readonly onDeadLetters?: TransactionPorts['onDeadLetters'];
  /** Version of Sluice, for the metadata of files. */
  readonly version?: string;
  /** Milliseconds UTC, for ids and manifests. */
  readonly now?: () => number;
  /** Milliseconds of a clock that never goes back, for ages. */
  readonly clock?: () => number;
  readonly onFlush?: (report: FlushReport) => void;
  readonly onRetry?: PersistOptions['onRetry'];
  readonly onLost?: RecoveryPorts['onLost'];
  readonly onSweepFailed?: RecoveryPorts['onSweepFailed'];
  /** Called when a flush was fenced: its assignment is dropped, its messages are read again by whoever owns them now. */
  readonly onFenced?: (error: FencedError) => void;
  /** Called once when a flush that nobody awaits fails; later calls of the archive throw the same error. */
  readonly onFailure?: (error: unknown) => void;
  /** Milliseconds before a store is asked again for the first time. */
  readonly backoff?: number;
  readonly crash?: (point: CrashPoint) => void;
}

/** Buffers, rotation and the transaction as one; index.ts says what it promises. */
export interface Archive {
  /** Before the first read of an assignment: publishes what its commits name. Its token is the current one from then on. */
  recover(assignment: Assignment): Promise<Recovered>;
  /** Takes a batch; starts a flush when one is due. Drops a batch of a token that is not current. */
  add(scored: ScoredBatch, token: number): void;
  /** Resolves when another batch may be added; throws when a flush failed. */
  room(): Promise<void>;
  /**
   * Writes everything that is buffered; undefined when there was nothing. Throws when that or an earlier flush failed, with
   * FencedError when the assignment was not current.
   */
  flush(reason: FlushReason): Promise<FlushReport | undefined>;
  /** The assignment is over: forgets what is buffered under the token, and stops asking a store that cannot answer. */
  drop(token: number): void;
  /** Gives up on a store that cannot answer: recovery and flushes under way fail with its last error. */
  abandon(): void;
  /** Bytes of buffers, those being written included. */
  bytes(): number;
  /** Stops the timer and awaits the flush under way. Buffered rows are not written: call `flush` before. */
  close(): Promise<void>;
}

/** Buffers of one assignment; a failed flush ends it. */
interface Lane {
  readonly token: number;
  readonly buffers: Buffers;
  /** Aborted when the lane is dropped. */
  readonly dropped: AbortController;
  readonly persist: Persist;
  failure?: { readonly error: unknown };
}

/** An archive without an assignment: call `recover` first. */
export function createArchive(options: ArchiveOptions): Archive {
  const { config, store, now = Date.now, clock = () => performance.now() } = options;
  const ports: RecoveryPorts = {
    store,
    pipeline: options.pipeline ?? 'sluice',
    encode: options.encode,
    commit: options.commit,
    readable: options.readable ?? (() => Promise.resolve(false)),
    deadLetterFiles: options.deadLetterFiles ?? true,
    onDeadLetters: options.onDeadLetters,
    format: {
      rowGroupRows: config.row_group_rows,
      compression: config.compression,
      version: options.version ?? '',
    },
    now,
    clock,
    crash: options.crash ?? createCrash(),
    onLost: options.onLost ?? (() => undefined),
    onSweepFailed: options.onSweepFailed ?? (() => undefined),
  };
  let lane: Lane | undefined;
  let sealedBytes = 0;
  let running: Promise<unknown> = Promise.resolve();
  let pending = 0;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  function fill({ buffers }: Lane): Fill {
    return { bytes: buffers.bytes, rows: buffers.rows, since: buffers.since, sealedBytes };
  }

  function check(current: Lane | undefined): void {
    if (current?.failure) throw current.failure.error;
  }

  /** One flush at a time: a later commit names a later transaction, so the earlier one must be published by then. */
  function enqueue<Result>(work: () => Promise<Result>): Promise<Result> {
    pending++;
    const result = running.then(work);
    const settled = () => {
      pending--;
      flushIfDue();
    };
    running = result.then(settled, settled);
    return result;
  }

  async function write(current: Lane, reason: FlushReason): Promise<FlushReport | undefined> {
    check(current);
    if (current.dropped.signal.aborted || current.buffers.since === undefined) return undefined;
    const started = clock();
    const sealed = current.buffers.seal();
    sealedBytes += sealed.bytes;
    schedule();
    try {
      const flushed = await flushTransaction(sealed, current.token, reason, ports, current.persist);
      const report: FlushReport = {
        transaction: flushed.transaction.id,
        reason,
        files: flushed.transaction.files.length,
        rows: flushed.rows,
        deadLetters: flushed.deadLetters,
        bytes: flushed.bytes,
        seconds: (clock() - started) / 1000,
      };
      options.onFlush?.(report);
      return report;
    } catch (error) {
      // Rows behind a hole must never be committed, so the lane ends here.
      if (error instanceof FencedError || current.dropped.signal.aborted) end(current);
      else current.failure = { error };
      current.buffers.seal();
      if (error instanceof FencedError) options.onFenced?.(error);
      throw error;
    } finally {
      sealedBytes -= sealed.bytes;
    }
  }

  function end(over: Lane, reason: Error = new FencedError(`assignment ${over.token} is over`)): void {
    over.dropped.abort(reason);
    over.buffers.seal();
    if (lane === over) lane = undefined;
    schedule();
  }

  function flushIfDue(): void {
    const current = lane;
    if (closed || !current || current.failure || pending > 0) return;
    const reason = dueReason(fill(current), config, clock());
    if (!reason) return;
    enqueue(() => write(current, reason)).catch((error: unknown) => {
      if (!current.dropped.signal.aborted) options.onFailure?.(error);
    });
  }

  function schedule(): void {
    clearTimeout(timer);
    timer = undefined;
    const wait = lane && !closed ? dueIn(fill(lane), config, clock()) : undefined;
    if (wait === undefined) return;
    timer = setTimeout(
      () => {
        flushIfDue();
        schedule();
      },
      Math.min(Math.max(wait, 100), 0x7fffffff),
    );
    timer.unref();
  }

  return {
    async recover(assignment) {
      if (lane) end(lane);
      const dropped = new AbortController();
      const { onRetry, backoff } = options;
      const fresh: Lane = {
        token: assignment.token,
        buffers: createBuffers({ partitionBy: config.partition_by, fileBytes: config.file_bytes }),
        dropped,
        persist: createPersist({ signal: dropped.signal, onRetry, backoff }),
      };
      lane = fresh;
      // A flush of the assignment before may be publishing, or holds prepared files that a sweep would remove.
      return enqueue(async () => {
        try {
          return await recoverTransactions(assignment, ports, fresh.persist);
        } catch (error) {
          if (error instanceof FencedError) end(fresh);
          else fresh.failure = { error };
          throw error;
        }
      });
    },

    add(scored, token) {
      const current = lane;
      if (!current || current.token !== token) return;
      check(current);
      const empty = current.buffers.since === undefined;
      current.buffers.add(scored, clock());
      if (empty) schedule();
      flushIfDue();
    },

    async room() {
      for (;;) {
        const current = lane;
        check(current);
        // One batch may always be buffered, however small the budget is.
        if (!current || hasRoom(fill(current), config) || current.buffers.bytes + sealedBytes === 0) return;
        flushIfDue();
        await running;
      }
    },

    async flush(reason) {
      const current = lane;
      if (!current) return undefined;
      return enqueue(() => write(current, reason));
    },

    drop(token) {
      if (lane?.token === token) end(lane);
    },

    abandon() {
      if (lane) end(lane, new StoreError('gave up on a store that does not answer'));
    },

    bytes: () => sealedBytes + (lane?.buffers.bytes ?? 0),

    async close() {
      closed = true;
      clearTimeout(timer);
      await running;
    },
  };
}

import { CorruptError, LostFileError, RetryableError } from '../errors.ts';
import type { Assignment, Manifest } from '../ports.ts';
import type { Position, Transaction } from '../types.ts';
import type { Persist } from './persist.ts';
import { publishAll, type TransactionPorts } from './transaction.ts';

/** What a recovery did: transactions and files that the process before it had committed and not finished. */
export interface Recovered {
  readonly partitions: number;
  readonly transactions: number;
  readonly files: number;
  /** Unfinished files of dead processes that were removed. */
  readonly swept: number;
}

/** A committed transaction of which a file has vanished before it was published. */
export interface LostTransaction {
  readonly transaction: string;
  /** What is missing, and where. */
  readonly detail: string;
  /** `topic-partition: from to`, each range that it settled. */
  readonly ranges: readonly string[];
  /** Whether its messages are read again; if not, they have expired: the rows of the missing files are lost. */
  readonly rewound: boolean;
}

/** What a recovery needs beside the ports of a transaction. */
export interface RecoveryPorts extends TransactionPorts {
  readonly onLost: (lost: LostTransaction) => void;
  /** The store could not be swept now; another recovery will. */
  readonly onSweepFailed: (error: Error) => void;
}

/**
 * Before the first read of an assignment: publishes every transaction that its committed positions name, then removes
 * what no commit names. Throws CorruptError when a manifest is missing or damaged.
 *
 * When a file has vanished, the transaction is undone as long as its messages can be read again: its other files are
 * removed and the positions move back to where it began. Several members may recover the partitions of one transaction at
 * the same time: the store decides between `finish` and `undo`, and all of them follow. When the messages have expired, what
 * is left of it is kept; `verify` goes on naming the loss.
 */
export async function recoverTransactions(
  assignment: Assignment,
  ports: RecoveryPorts,
  persist: Persist,
): Promise<Recovered> {
  const { store, crash } = ports;
  const ids = new Set(assignment.partitions.map(({ transaction }) => transaction).filter((id) => id !== ''));
  let transactions = 0;
  let files = 0;
  crash('before-recovery');
  for (const id of ids) {
    const manifest = await persist('manifest', id, () => store.readManifest(id));
    if (!manifest) throw missing(id, assignment, store.description);
    if (manifest.finished) continue;
    if (await completed(manifest, ports, persist)) {
      transactions++;
      files += manifest.transaction.files.length;
    } else {
      await rewind(manifest.transaction, assignment, ports);
    }
  }
  crash('after-recovery');
  let swept = 0;
  try {
    swept = await store.sweep(assignment.transactions);
  } catch (error) {
    if (!(error instanceof RetryableError)) throw error;
    ports.onSweepFailed(error);
  }
  return { partitions: assignment.partitions.length, transactions, files, swept };
}

/** Makes a committed transaction part of the archive; false when it is undone. */
async function completed(
  { transaction, undone }: Manifest,
  ports: RecoveryPorts,
  persist: Persist,
): Promise<boolean> {
  const { store, readable, onLost } = ports;
  const { id, partitions } = transaction;
  const lost = (detail: string, rewound: boolean) =>
    onLost({
      transaction: id,
      detail,
      ranges: partitions.map(({ topic, partition, from, to }) => `${topic}-${partition}: ${from} to ${to}`),
      rewound,
    });
  if (undone) {
    lost('another process found it missing', true);
    // Whoever decided so may have died before it had removed everything.
    await persist('undo', id, () => store.undo(transaction));
    return false;
  }
  try {
    await publishAll(transaction, ports, persist, ['during-recovery', 'during-recovery']);
  } catch (error) {
    if (!(error instanceof LostFileError)) throw error;
    const rewound = await persist('readable', id, () => readable(startsOf(transaction)));
    lost(error.message, rewound);
    if (rewound) return !(await persist('undo', id, () => store.undo(transaction)));
  }
  return persist('finish', id, () => store.finish(transaction));
}

/** Moves positions back to where an undone transaction began: those of this assignment that still name it. */
async function rewind(
  transaction: Transaction,
  assignment: Assignment,
  { commit }: RecoveryPorts,
): Promise<void> {
  const named = new Set(
    assignment.partitions
      .filter((position) => position.transaction === transaction.id)
      .map(({ topic, partition }) => `${partition}\n${topic}`),
  );
  const own = startsOf(transaction).filter(({ topic, partition }) => named.has(`${partition}\n${topic}`));
  await commit(assignment.token, own, '');
}

function startsOf({ partitions }: Transaction): Position[] {
  return partitions.map(({ topic, partition, from }) => ({ topic, partition, offset: from }));
}

function missing(id: string, { partitions }: Assignment, archive: string): CorruptError {
  const named = partitions
    .filter(({ transaction }) => transaction === id)
    .map(({ topic, partition, offset }) => `${topic}-${partition} at ${offset}`);
  return new CorruptError(
    `the committed position of ${named.join(', ')} names transaction ${id}, but ${archive} has no manifest of it: ` +
      'restore it from a backup or an older version of the object, or point `archive.store` to the archive that those positions belong to',
  );
}

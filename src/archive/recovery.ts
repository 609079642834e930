import { CorruptError, LostFileError, RetryableError } from '../errors.ts';
import type { Assignment } from '../ports.ts';
import type { Transaction } from '../types.ts';
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
 * withdrawn and the positions move back to where it began. All owners of its partitions decide alike, since each of them
 * asks for all of its ranges. When the messages have expired, what is left of it is kept; `verify` goes on naming the loss.
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
    const { transaction } = manifest;
    try {
      await publishAll(transaction, ports, persist, ['during-recovery', 'during-recovery']);
    } catch (error) {
      if (!(error instanceof LostFileError)) throw error;
      if (await undo(transaction, error, assignment, ports, persist)) continue;
    }
    await persist('finish', id, () => store.finish(id));
    transactions++;
    files += transaction.files.length;
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

/** Takes a transaction back, if its messages can be read again; whether it did. */
async function undo(
  transaction: Transaction,
  error: LostFileError,
  assignment: Assignment,
  { store, readable, commit, onLost }: RecoveryPorts,
  persist: Persist,
): Promise<boolean> {
  const { id, partitions, files } = transaction;
  const starts = partitions.map(({ topic, partition, from }) => ({ topic, partition, offset: from }));
  const rewound = await readable(starts);
  onLost({
    transaction: id,
    detail: error.message,
    ranges: partitions.map(({ topic, partition, from, to }) => `${topic}-${partition}: ${from} to ${to}`),
    rewound,
  });
  if (!rewound) return false;
  // Files first: a process that dies in between finds the transaction still named, and undoes it again.
  await persist('discard', id, () => store.discard(files));
  const named = new Set(
    assignment.partitions
      .filter((position) => position.transaction === id)
      .map(({ topic, partition }) => `${partition}\n${topic}`),
  );
  const own = starts.filter(({ topic, partition }) => named.has(`${partition}\n${topic}`));
  await commit(assignment.token, own, '');
  return true;
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

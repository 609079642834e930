import type { CommittedPosition, Store } from '../ports.ts';
import type { Partition, Transaction } from '../types.ts';
import { mapBounded } from '../concurrency.ts';

/** Manifests that are read at a time. */
const PARALLEL = 16;
/** How far the clocks of two processes that wrote to one partition may be apart, milliseconds. */
const CLOCK_SKEW = 3_600_000;

/** What {@link newestPositions} looks for. */
export interface NewestPositionsOptions {
  /** Whose transactions count. */
  readonly pipeline: string;
  /** Looks no further when all of these are found; absent: reads the whole ledger. */
  readonly partitions?: readonly Partition[];
}

/** The position behind what is archived of a partition, with the transaction that archived it last. */
export interface ArchivedPosition extends CommittedPosition {
  /** The first offset that is archived, as far as the ledger was read. */
  readonly from: number;
  /** When the transaction began, milliseconds UTC of the process that made it. */
  readonly createdAt: number;
}

/**
 * The position behind the last archived message of each partition, from the archive itself: for a source whose committed
 * positions have expired, and for a replay that goes on. Goes through the ledger from its newest end until every asked
 * partition is found (and an hour further, since clocks differ). Partitions without any are not in the answer, and make it
 * read every manifest.
 *
 * An unfinished transaction counts when one of its files is visible: it was committed, for files become visible after the
 * commit only; a recovery that is told of it publishes the rest. One without a visible file does not count: nothing of it
 * was ever seen, and its messages are read again. Throws CorruptError when a manifest is damaged, since what lies behind
 * it is not known.
 */
export async function newestPositions(
  store: Store,
  { pipeline, partitions }: NewestPositionsOptions,
): Promise<ArchivedPosition[]> {
  const newest = new Map<string, ArchivedPosition>();
  const wanted = new Set(partitions?.map(keyOf));
  let stopBefore = -Infinity;
  for await (const transaction of settledBackwards(store, pipeline)) {
    const createdAt = Date.parse(transaction.createdAt);
    if (createdAt < stopBefore) break;
    for (const { topic, partition, from, to } of transaction.partitions) {
      const key = keyOf({ topic, partition });
      const known = newest.get(key);
      const isLast = !known || known.offset < to;
      const last = isLast ? { offset: to, transaction: transaction.id, createdAt } : known;
      newest.set(key, {
        topic,
        partition,
        from: Math.min(from, known?.from ?? from),
        offset: last.offset,
        transaction: last.transaction,
        createdAt: last.createdAt,
      });
      wanted.delete(key);
    }
    if (partitions && wanted.size === 0 && stopBefore === -Infinity) stopBefore = createdAt - CLOCK_SKEW;
  }
  return [...newest.values()];
}

/** Whether a transaction is of a pipeline; manifests of the first version name none. */
export function belongsTo(transaction: Transaction, pipeline: string): boolean {
  return transaction.pipeline === pipeline || transaction.pipeline === '';
}

/** Transactions of a pipeline that are part of the archive by its own account, newest first. */
async function* settledBackwards(store: Store, pipeline: string): AsyncGenerator<Transaction> {
  const ids = (await store.transactions()).toReversed();
  for (let at = 0; at < ids.length; at += PARALLEL) {
    const some = ids.slice(at, at + PARALLEL);
    for (const manifest of await mapBounded(some, PARALLEL, ({ id }) => store.readManifest(id))) {
      if (!manifest || manifest.undone || !belongsTo(manifest.transaction, pipeline)) continue;
      if (manifest.finished || (await isVisible(manifest.transaction, store))) yield manifest.transaction;
    }
  }
}

async function isVisible({ files }: Transaction, store: Store): Promise<boolean> {
  for (const { key } of files) if ((await store.read(key)) !== undefined) return true;
  return false;
}

function keyOf({ topic, partition }: Partition): string {
  return `${partition}\n${topic}`;
}

import type { Transaction } from '../types.ts';
import type { PartitionReport } from './reach.ts';
import type { ViolationKind } from './violation.ts';

/** What was checked, and what came of it. Counts of what the settled transactions say. */
export interface VerifyReport {
  /** Null where there is nothing that could: neither a transaction nor a violation. */
  readonly holds: boolean | null;
  readonly archive: string;
  readonly pipeline: string;
  readonly transactions: number;
  /** Transactions that are not part of the archive: neither finished nor named by a commit. */
  readonly unfinished: number;
  readonly files: number;
  readonly bytes: number;
  readonly rows: number;
  readonly dead_letters: number;
  readonly skipped: number;
  readonly absent: number;
  readonly partitions: readonly PartitionReport[];
  readonly violations: number;
  readonly kinds: Readonly<Partial<Record<ViolationKind, number>>>;
  /** What is worth knowing and no violation. */
  readonly notes: readonly string[];
}

/** What is counted on the way to a {@link VerifyReport}. */
export interface Count {
  /** Transactions in the ledger, of whatever time and outcome. */
  known: number;
  transactions: number;
  unfinished: number;
  files: number;
  bytes: number;
  rows: number;
  deadLetters: number;
  skipped: number;
  absent: number;
  damaged: number;
  foreign: number;
  /** Dead letters of transactions without a file of them. */
  unproved: number;
  /** Files of committed transactions that are not visible yet. */
  unpublished: number;
}

/** A count of nothing. */
export function createCount(): Count {
  return {
    known: 0,
    transactions: 0,
    unfinished: 0,
    files: 0,
    bytes: 0,
    rows: 0,
    deadLetters: 0,
    skipped: 0,
    absent: 0,
    damaged: 0,
    foreign: 0,
    unproved: 0,
    unpublished: 0,
  };
}

/** Counts what a settled transaction says. */
export function countTransaction(count: Count, { files, partitions }: Transaction): void {
  count.transactions++;
  count.files += files.length;
  for (const { bytes } of files) count.bytes += bytes;
  const inFiles = files.some(({ kind }) => kind === 'dead_letters');
  for (const { rows, deadLetters, skipped, absent } of partitions) {
    count.rows += rows;
    count.deadLetters += deadLetters;
    count.skipped += skipped;
    count.absent += absent;
    if (!inFiles) count.unproved += deadLetters;
  }
}

/** What was left out of the check, and why. */
export function notesOf(
  count: Count,
  {
    commits,
    quick,
    since,
  }: {
    readonly commits?: unknown;
    readonly quick?: boolean | undefined;
    readonly since?: number | undefined;
  },
): string[] {
  const notes: string[] = [];
  if (!commits) notes.push('committed positions were not checked');
  if (quick) notes.push('no file was read: rows, checksums, customers and days were not checked');
  if (since !== undefined) {
    const isNone = count.transactions + count.unfinished + count.damaged === 0;
    notes.push(
      `transactions before ${new Date(since).toISOString()} were not checked${isNone ? ', and there are none since' : ''}`,
    );
  }
  if (count.foreign > 0)
    notes.push(
      `${count.foreign} unfinished transactions, of which nothing here says whether they were committed, were left out`,
    );
  if (count.unproved > 0)
    notes.push(`${count.unproved} dead letters are in no file: that the topic has them was not checked`);
  if (count.unpublished > 0)
    notes.push(
      `${count.unpublished} files are committed and not published yet: the pipeline is about to, or does it when it starts`,
    );
  return notes;
}

/** The report of what was counted and found. */
export function reportOf(
  count: Count,
  found: Pick<VerifyReport, 'archive' | 'pipeline' | 'partitions' | 'kinds' | 'notes'>,
): VerifyReport {
  const violations = Object.values(found.kinds).reduce((sum, one) => sum + one, 0);
  const { archive, pipeline, partitions, kinds, notes } = found;
  const { transactions, unfinished, files, bytes, rows, deadLetters, skipped, absent } = count;
  return {
    holds: violations > 0 ? false : count.known > 0 ? true : null,
    archive,
    pipeline,
    transactions,
    unfinished,
    files,
    bytes,
    rows,
    dead_letters: deadLetters,
    skipped,
    absent,
    partitions,
    violations,
    kinds,
    notes,
  };
}

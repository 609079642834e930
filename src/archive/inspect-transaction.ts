import type { PreparedFile, SettledRange, Transaction } from '../types.ts';
import { mapBounded } from '../concurrency.ts';
import { inspectFile } from './inspect-file.ts';
import { createOffsetSet, type OffsetSet } from './offset-set.ts';
import type { OnViolation, ViolationKind } from './violation.ts';

/** Files that are read at a time, and so are in memory. */
const PARALLEL = 4;

/** What {@link inspectTransaction} works with. */
export interface InspectTransactionOptions {
  readonly read: (key: string) => Promise<Uint8Array<ArrayBuffer> | undefined>;
  readonly onViolation: OnViolation;
  /** Called for a file that is not there, where it may still be published; without it, that is a violation. */
  readonly onUnpublished?: (() => void) | undefined;
}

/** What the files of a transaction have of one of its ranges. */
interface Found {
  readonly range: SettledRange;
  readonly offsets: OffsetSet;
  /** Different offsets in rows, and in dead letters. */
  rows: number;
  deadLetters: number;
  /** Rows and dead letters that were reported already. */
  faults: number;
}

/**
 * Proves one transaction from its files: every offset of its ranges is in exactly one row or dead letter, or counted as
 * skipped or absent. Reads a few files at a time; besides, a bit for each offset. Dead letters that the manifest counts
 * without a file of them went to a topic only, and are taken on trust.
 */
export async function inspectTransaction(
  { id, files, partitions }: Transaction,
  { read, onViolation, onUnpublished }: InspectTransactionOptions,
): Promise<void> {
  const found = new Map(
    partitions.map((range) => [
      keyOf(range.topic, range.partition),
      { range, offsets: createOffsetSet(), rows: 0, deadLetters: 0, faults: 0 },
    ]),
  );
  let isWhole = true;
  for (let from = 0; from < files.length; from += PARALLEL) {
    const some = files.slice(from, from + PARALLEL);
    const contents = await mapBounded(some, PARALLEL, (file) => read(file.key));
    for (const [index, file] of some.entries()) {
      const content = contents[index];
      if (!content && onUnpublished) {
        isWhole = false;
        onUnpublished();
        continue;
      }
      const settle = createSettling(file, id, found, onViolation);
      const counted = await inspectFile(file, id, content, settle.onPosition, onViolation);
      settle.end();
      isWhole &&= counted;
    }
  }
  const withDeadLetters = files.some(({ kind }) => kind === 'dead_letters');
  for (const one of found.values()) checkRange(one, id, { isWhole, withDeadLetters }, onViolation);
}

/** Whether the numbers of a range make up its offsets. */
export function addsUp({ from, to, rows, deadLetters, skipped, absent }: SettledRange): boolean {
  return rows + deadLetters + skipped + absent === to - from && to >= from;
}

function checkRange(
  { range, offsets, rows, deadLetters, faults }: Found,
  transaction: string,
  { isWhole, withDeadLetters }: { readonly isWhole: boolean; readonly withDeadLetters: boolean },
  onViolation: OnViolation,
): void {
  // A file that is missing or damaged is a violation by itself, and so are numbers that do not add up.
  if (!isWhole || !addsUp(range)) return;
  const { topic, partition, from, to } = range;
  const expectedDead = withDeadLetters ? range.deadLetters : 0;
  if (rows === range.rows && deadLetters === expectedDead) return;
  const missing = range.rows + expectedDead - rows - deadLetters;
  if (missing === 0 && faults > 0) return;
  const detail = `expected ${range.rows} rows and ${expectedDead} dead letters, got ${rows} and ${deadLetters}`;
  // Without offsets that need no row, those that have none can be named.
  const first = range.skipped + range.absent === 0 && withDeadLetters === range.deadLetters > 0;
  const named = missing > 0 && first ? `; without one is ${missingOffsets(offsets, from, to)}` : '';
  const kind = missing > 0 ? 'row_missing' : 'wrong_count';
  onViolation({ kind, transaction, topic, partition, from, to, detail: detail + named });
}

function missingOffsets(offsets: OffsetSet, from: number, to: number): string {
  const named: number[] = [];
  for (let offset = from; offset < to && named.length < 6; offset++) {
    if (!offsets.has(offset)) named.push(offset);
  }
  return named.length > 5 ? `${named.slice(0, 5).join(', ')} …` : named.join(', ');
}

/** Takes the positions of one file; offsets with the same fault become one violation for each partition. */
function createSettling(
  file: PreparedFile,
  transaction: string,
  all: ReadonlyMap<string, Found>,
  onViolation: OnViolation,
) {
  const faults = new Map<
    string,
    { kind: ViolationKind; topic: string; partition: number; from: number; to: number; count: number }
  >();
  const isRow = file.kind !== 'dead_letters';
  // Rows of a file are mostly of the partition of the row before.
  let last: { topic: string; partition: number; found: Found | undefined } | undefined;

  function fault(kind: ViolationKind, topic: string, partition: number, offset: number): void {
    const key = JSON.stringify([kind, topic, partition]);
    const known = faults.get(key);
    if (!known)
      return void faults.set(key, { kind, topic, partition, from: offset, to: offset + 1, count: 1 });
    known.from = Math.min(known.from, offset);
    known.to = Math.max(known.to, offset + 1);
    known.count++;
  }

  return {
    onPosition: (topic: string, partition: number, offset: number): void => {
      if (last?.topic !== topic || last.partition !== partition)
        last = { topic, partition, found: all.get(keyOf(topic, partition)) };
      const { found } = last;
      if (!found || !(offset >= found.range.from && offset < found.range.to))
        return fault('row_outside', topic, partition, offset);
      if (!found.offsets.add(offset)) {
        found.faults++;
        return fault('row_twice', topic, partition, offset);
      }
      if (isRow) found.rows++;
      else found.deadLetters++;
    },
    end(): void {
      for (const { kind, topic, partition, from, to, count } of faults.values()) {
        const what = `${count} ${isRow ? 'rows' : 'dead letters'}`;
        const detail =
          kind === 'row_twice'
            ? `${what} whose offset is in the transaction's files before`
            : `${what} beside the ranges of the transaction`;
        onViolation({ kind, transaction, file: file.key, topic, partition, from, to, detail });
      }
    },
  };
}

function keyOf(topic: string, partition: number): string {
  return `${partition}\n${topic}`;
}

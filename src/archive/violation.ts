/** What `sluice verify` can find wrong, by kind, and what each means. */
export const VIOLATIONS = {
  manifest_damaged: 'a manifest that does not fit its checksum, so what its transaction settled is not known',
  manifest_missing: 'a committed position names a transaction that has no manifest',
  gap: 'committed offsets that no transaction settled: their messages are not in the archive',
  overlap: 'offsets that two transactions settled: their rows are there twice',
  ahead_of_commit: 'archived offsets beyond the committed position: they will be archived again',
  file_missing: 'a manifest names a file that is not there',
  file_size: 'a file is not as long as its manifest says',
  file_checksum: 'a file is as long as its manifest says, but its bytes are others',
  file_unreadable: 'a file has the right bytes, but is no Parquet file or no list of dead letters',
  file_foreign: 'a file names another transaction than its manifest does',
  file_orphan: 'a file that no manifest names: readers count its rows, too',
  file_uncommitted: 'a visible file of a transaction that was not committed: its rows will be there twice',
  wrong_table:
    'a file of another table than its folder holds: readers of that folder do not know its columns',
  wrong_customer: 'rows of another customer than the path and the manifest name',
  wrong_day: 'rows of another day or hour than the path names',
  wrong_times: 'the range of event times is not what the manifest says',
  wrong_count: 'numbers in a manifest that do not fit the files, or do not add up',
  row_missing: 'offsets of a transaction that are in none of its files',
  row_twice: 'offsets that are in the files of a transaction more than once',
  row_outside: 'rows whose offset is in no range of their transaction',
} as const;

/** A kind of {@link Violation}. */
export type ViolationKind = keyof typeof VIOLATIONS;

/** One thing that the archive promises and does not keep. */
export interface Violation {
  readonly kind: ViolationKind;
  readonly transaction?: string;
  /** Key of the file below the store's root. */
  readonly file?: string;
  readonly topic?: string;
  readonly partition?: number;
  /** Offsets from `from` to before `to`, within which it is. */
  readonly from?: number;
  readonly to?: number;
  /** What was expected, what came. */
  readonly detail: string;
}

/** Called with each violation as it is found. */
export type OnViolation = (violation: Violation) => void;

/** A violation as one line of text. */
export function violationLine(violation: Violation): string {
  const { kind, transaction, file, topic, partition, from, to, detail } = violation;
  const where = [
    topic === undefined ? '' : `${topic}-${partition}${from === undefined ? '' : ` ${from} to ${to}`}`,
    file ?? (transaction === undefined ? '' : `transaction ${transaction}`),
  ].filter((part) => part !== '');
  return `${kind} ${where.join(', ')}: ${detail}`;
}

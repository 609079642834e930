import { hash } from 'node:crypto';
import type { Store } from '../ports.ts';
import { DEAD_LETTERS } from './dead-letters.ts';
import { transactionOfKey } from './keys.ts';
import { tableOfKey } from './tables.ts';

/** A visible file. */
export interface ListedFile {
  readonly key: string;
  readonly bytes: number;
}

/** A sum over the names and sizes of files, whatever their order: two sets of files that differ have different ones. */
export interface FileSum {
  readonly files: number;
  readonly bytes: number;
  readonly digest: number;
}

/** The sum of no files. */
export const NO_FILES: FileSum = { files: 0, bytes: 0, digest: 0 };

/** A sum with one more file in it. */
export function withFile(sum: FileSum, { key, bytes }: ListedFile): FileSum {
  const digest = hash('sha1', `${bytes} ${key}`, 'buffer').readUIntBE(0, 6);
  return { files: sum.files + 1, bytes: sum.bytes + bytes, digest: (sum.digest + digest) % 2 ** 48 };
}

/** Whether two sums are of the same files. */
export function sameFiles(a: FileSum, b: FileSum): boolean {
  return a.files === b.files && a.bytes === b.bytes && a.digest === b.digest;
}

/**
 * The transaction whose file a key is by its name; '' for a name that the archive does not give; undefined for what readers
 * do not look at: names that begin with `_` or `.`, the folders of dead letters and of tables excepted.
 */
export function visibleTransactionOf(key: string): string | undefined {
  const folder = key.startsWith(`${DEAD_LETTERS}/`) ? `${DEAD_LETTERS}/` : tableOfKey(key).folder;
  const seen = key.slice(folder.length);
  if (seen.split('/').some((part) => /^[_.]/.test(part))) return undefined;
  return transactionOfKey(key) ?? '';
}

/**
 * Sums of the visible files of each transaction, those with other names as that of ''. In memory there is one entry for
 * each transaction, however many files an archive has.
 */
export async function sumFiles(store: Store): Promise<Map<string, FileSum>> {
  const sums = new Map<string, FileSum>();
  for await (const file of store.files()) {
    const id = visibleTransactionOf(file.key);
    if (id !== undefined) sums.set(id, withFile(sums.get(id) ?? NO_FILES, file));
  }
  return sums;
}

/** The visible files of some transactions, by transaction and key: bytes. For the few whose sum is not as expected. */
export async function filesOf(
  store: Store,
  transactions: ReadonlySet<string>,
): Promise<Map<string, Map<string, number>>> {
  const found = new Map<string, Map<string, number>>();
  if (transactions.size === 0) return found;
  for await (const { key, bytes } of store.files()) {
    const id = visibleTransactionOf(key);
    if (id === undefined || !transactions.has(id)) continue;
    const files = found.get(id);
    if (files) files.set(key, bytes);
    else found.set(id, new Map([[key, bytes]]));
  }
  return found;
}

import { StoreError } from '../errors.ts';

/** Returns a key as it is; throws StoreError for one that could leave `root` in any store, whoever made it. */
export function safeKey(key: string, root: string): string {
  if (key.split('/').some((part) => part === '' || part === '.' || part === '..') || /[\\\0]/.test(key)) {
    throw new StoreError(`expected a path below ${root}, got ${JSON.stringify(key)}`);
  }
  return key;
}

/** Returns a transaction id as it is; throws StoreError for one that is no plain file name. */
export function safeTransactionId(id: string): string {
  if (!/^[A-Za-z0-9_-]+$/.test(id)) {
    throw new StoreError(`expected a transaction id of letters, digits, - and _, got ${JSON.stringify(id)}`);
  }
  return id;
}

/**
 * The transaction that a file belongs to, by its name: `<id>-<n>.parquet`, `<id>.jsonl`; undefined for a name that the
 * archive does not give.
 */
export function transactionOfKey(key: string): string | undefined {
  return /(?:^|\/)([A-Za-z0-9_]+)(?:-\d+\.parquet|\.jsonl)$/.exec(key)?.[1];
}

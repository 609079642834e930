/**
 * The archive: rows become Parquet files, each exactly once.
 *
 * In: ScoredBatches, in order of offset within each partition, under the token of an assignment.
 * Out: `customer=…/dt=…/<transaction>-<n>.parquet`, `_dead_letters/dt=…/<transaction>.jsonl`, and a manifest per flush.
 * Promises: every offset up to the committed one is in exactly one published row or dead letter, or was skipped, whatever
 * process died when, provided that `recover` ran before the first read of an assignment; buffers and files being written
 * stay within the memory budget as long as callers await `room`.
 * Fails: the first failure of a flush ends the archive for its assignment: nothing later of it is committed, `add`,
 * `room` and `flush` throw the error, and the source is read again from the last commit. Batches of an assignment that is
 * no longer current are dropped silently: its next owner reads them.
 */
export { createArchive, type Archive, type ArchiveOptions } from './archive.ts';
export { athenaDdl } from './athena.ts';
export { COLUMNS, columnTable } from './columns.ts';
export { archiveConfig, type ArchiveConfig, type PartitionKey } from './config.ts';
export { createDirectoryStore, type DirectoryStoreOptions } from './directory-store.ts';
export { encodeFile, type EncodedFile, type EncodeTask } from './encode.ts';
export { query, type QueryResult } from './query.ts';
export { shardPath } from './shard.ts';
export { encodeSlices, type EncodedSlices, type SliceInput } from './slice.ts';
export { formatRows, type Format } from './table.ts';
export type { Recovered } from './transaction.ts';

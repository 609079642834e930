/**
 * The archive: rows become Parquet files, each exactly once.
 *
 * In: ScoredBatches, in order of offset within each partition, under the token of an assignment.
 * Out: `customer=…/dt=…/<transaction>-<n>.parquet`, the same below `_feedback/` for feedback,
 * `_dead_letters/dt=…/<transaction>.jsonl`, and a manifest per flush.
 * Promises: every offset up to the committed one is in exactly one published row or dead letter, or was skipped, whatever
 * process died when, provided that `recover` ran before the first read of an assignment; buffers and files being written
 * stay within the memory budget as long as callers await `room`.
 * Fails: a store that cannot answer is asked again for as long as it takes. Another failure of a flush ends the archive for
 * its assignment: nothing later of it is committed, `add`, `room` and `flush` throw the error, and the source is read again
 * from the last commit. A fenced flush, and batches of an assignment that is no longer current, are dropped: the next
 * owner reads their messages.
 */
export { createArchive, type Archive, type ArchiveOptions } from './archive.ts';
export { athenaDdl } from './athena.ts';
export { catalogTable, type CatalogTable, type CatalogTableOptions } from './catalog-table.ts';
export { columnTable, type Table } from './columns.ts';
export { archiveConfig, type ArchiveConfig, type PartitionKey } from './config.ts';
export { DEAD_LETTERS } from './dead-letters.ts';
export { createDirectoryStore, type DirectoryStoreOptions } from './directory-store.ts';
export { createS3Store, type S3Store, type S3StoreOptions } from './s3-store.ts';
export { s3StoreConfig, type S3StoreConfig } from './s3-config.ts';
export { checksum, encodeFile, type EncodedFile, type EncodeTask } from './encode.ts';
export { applyToGlue, type GlueOptions, type GlueResult } from './glue.ts';
export { newestPositions, type ArchivedPosition, type NewestPositionsOptions } from './ledger.ts';
export { query, type QueryResult } from './query.ts';
export { readDeadLetters } from './read-dead-letters.ts';
export { shardPath } from './shard.ts';
export { encodeSlices, type EncodedSlices, type SliceInput } from './content-slices.ts';
export { encodeFeedbackSlices } from './feedback-slices.ts';
export { TABLES } from './tables.ts';
export { formatRows, type Format } from './table.ts';
export type { LostTransaction, Recovered } from './recovery.ts';
export type { StoreRetry } from './persist.ts';
export { verifyArchive, type Commits, type VerifyOptions } from './verify.ts';
export type { VerifyReport } from './verify-report.ts';
export { violationLine, VIOLATIONS, type Violation, type ViolationKind } from './violation.ts';

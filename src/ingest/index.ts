/**
 * Ingest: messages from a source, paced, decoded to columns, brought back into order.
 *
 * In: topics of Kafka by a consumer group, files of JSON lines (plain or gzip, by glob, followed as they grow) or of Parquet,
 * here or in S3, or standard input, and the positions that were committed. Out: raw batches, one partition's consecutive messages in one buffer; in a
 * worker their columns (of content, or of feedback), dead letters and counts of skipped messages.
 *
 * Promises: every message is handed over in its partition's order, from the committed position on; each is exactly one of
 * row, dead letter or skipped; no field of a message is lost (what has no column is metadata), and no digit of a number.
 * A commit is on disk (Kafka: on the brokers) when it resolves, and fails when another process has taken over. What
 * happens to brokers is waited out.
 *
 * Fails: InputError when something cannot be read, after everything before it was handed over; CorruptError for a damaged
 * position file; FencedError for a commit that came too late; StoreError when positions cannot be written;
 * MisconfiguredError when brokers refuse for good; TooManyDeadLettersError when everything in a row is wrong. A message
 * never makes anything throw.
 */
export { committedPositions } from './committed-positions.ts';
export {
  ingestConfig,
  sourceConfig,
  type FileSourceConfig,
  type IngestConfig,
  type KafkaSourceConfig,
  type SourceConfig,
} from './config.ts';
export { createConfluentClient } from './confluent-client.ts';
export { loadLibrary as loadConfluentLibrary } from './confluent-library.ts';
export { createCustomerOf } from './customer-of.ts';
export { createDeadLetterLimit } from './dead-letter-limit.ts';
export { createDecoder } from './decode.ts';
export { createFeedbackDecoder } from './feedback.ts';
export { createExaminers, type Examined, type Examiner } from './examine.ts';
export { createFileSource, type FileSourceOptions } from './file-source.ts';
export { isRemote, resolveInputs } from './inputs.ts';
export { isArchived, type ArchiveSlice } from './parquet-query.ts';
export type { RemoteInputsOptions } from './remote-inputs.ts';
export { createParquetReader, isParquet, type ParquetReader } from './parquet-reader.ts';
export { checkKafka } from './kafka-check.ts';
export { createKafkaSource } from './kafka-source.ts';
export type { ExpiredRange, KafkaSourceOptions } from './kafka-source-options.ts';
export { createInOrder, type InOrder } from './in-order.ts';
export { createPacer, type Pacer } from './pacing.ts';
export { openKafkaGroup, type KafkaGroup } from './kafka-group.ts';
export { openKafkaTail, type KafkaTail } from './kafka-tail.ts';
export { readTopic, type TopicReaderOptions } from './topic-reader.ts';
export { isSubscribed, subscriptionOf, type Subscription } from './subscription.ts';

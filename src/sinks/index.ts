/**
 * Sinks: what leaves the pipeline beside the archive.
 *
 * In: dead letters of a flush, before its commit. Out: records of a topic.
 * Promises: everything is written, and acknowledged by all replicas, when a call resolves; a call that is made again
 * writes it again, with the same id, by which a reader drops the repeat.
 * Fails: RetryableError when the brokers do not answer; StoreError when they refuse a record for good, saying why.
 */
export {
  createDeadLetterTopic,
  type DeadLetterTopic,
  type DeadLetterTopicOptions,
} from './dead-letter-topic.ts';

/**
 * Sinks: what leaves the pipeline beside the archive.
 *
 * In: decisions of a batch, before its rows enter the archive; dead letters of a flush, before its commit.
 * Out: records of topics, webhooks, rows of databases, documents of a search engine.
 * Promises: everything is durably there, or was refused and is kept, when a call resolves; a position is committed only
 * after that. A call that is made again tells it again, with the same id, by which a receiver drops the repeat.
 * Fails: RetryableError when a server does not answer; StoreError or MisconfiguredError when it refuses for good.
 */
export { checkLabels } from './check-labels.ts';
export { createDeadLetterTopic, type DeadLetterTopic } from './dead-letter-topic.ts';
export { createFanOut, type Branch, type Delivered, type FanOut, type Refused } from './fan-out.ts';
export { filtersOf, sinksConfig, wantsText, type SinkConfig, type SinksConfig } from './config.ts';
export { readDeadLetter } from './read-dead-letter.ts';
export { openSink } from './open.ts';
export { receiverSchema, type ReceiverFlags } from './receiver-schema.ts';
export type { Refusal, Sink } from './sink.ts';

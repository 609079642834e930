/**
 * The values that pass between stages, and the words that Sluice uses for them.
 *
 * Glossary
 * - *message*: what a producer wrote: bytes at one position of a source.
 * - *position*: topic, partition and offset of a message. Offsets are dense or growing whole numbers below 2^53.
 * - *row*: a message that decoded well, with its scores and its decision; one row of Parquet.
 * - *dead letter*: a message that can never become a row, kept with its original bytes and the reason.
 * - *skipped*: a message that means nothing by itself (a Kafka tombstone, a deleted change-data row); only counted.
 * - *settled*: a message whose row is published, whose dead letter is written, or that was skipped.
 * - *decision*: allow, review or block, with the reasons; its id is `topic-partition-offset`, the same on every replay.
 * - *feedback*: a message that says something about content: a user's flag, a moderator's action, an appeal. Never classified.
 * - *table*: rows with the same columns below one folder of the archive: `content`, `feedback`.
 * - *shard*: the rows of one table, customer and day; *shard file*: one Parquet file of one shard.
 * - *absent*: an offset at which the topic holds nothing to read: a control record, a message that compaction removed.
 * - *flush*: one transaction of the archive: all buffered rows become files, and the source's positions move.
 * - *assignment*: the right to read a set of partitions, until it is revoked or lost; commits name its token, so a stale
 *   one fails.
 * - *ledger*: the manifests of all finished transactions: which offsets are in which files.
 */
import type { Decision } from './decision.ts';
import type { ModelWork } from './verdicts.ts';

export type { ModelWork, ScoreMap, ShadowVerdicts, VerdictBatch } from './verdicts.ts';

/** Topic and partition of a source. For the file source: the configured topic name, and one partition per file. */
export interface Partition {
  readonly topic: string;
  readonly partition: number;
}

/** Where one message stands in its source. */
export interface Position extends Partition {
  readonly offset: number;
}

/** Parts of a batch's `bytes`: part i is `bytes[starts[i] .. ends[i])`, or null where it ends one before it starts. */
export interface Slices {
  readonly starts: Uint32Array<ArrayBuffer>;
  readonly ends: Uint32Array<ArrayBuffer>;
}

/** Headers of a batch's messages: those of row r are the entries `first[r] .. first[r + 1])`, in their order. */
export interface HeaderSlices extends Slices {
  /** One more than there are rows. */
  readonly first: Uint32Array<ArrayBuffer>;
  /** Index into `names` for each entry. */
  readonly name: Uint32Array<ArrayBuffer>;
  readonly names: readonly string[];
}

/** Consecutive messages of one partition, undecoded. `bytes` is moved to a worker, never copied. */
export interface RawBatch extends Partition {
  /** Number of messages. */
  readonly rows: number;
  /**
   * All values in one buffer; value i is `bytes[starts[i] .. ends[i])`. What lies between it and the next value belongs to
   * the message too: a line end, its key and headers.
   */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly starts: Uint32Array<ArrayBuffer>;
  readonly ends: Uint32Array<ArrayBuffer>;
  /** Offset of each message, growing. */
  readonly offsets: Float64Array<ArrayBuffer>;
  /** The source's time stamp of each message, milliseconds UTC, NaN where it has none. */
  readonly timestamps: Float64Array<ArrayBuffer>;
  /** When this process received the batch, milliseconds UTC. */
  readonly receivedAt: number;
  /** Where this batch begins: `next` of the one before it in its partition. Offsets from here on without a message are absent. */
  readonly first: number;
  /** Offset after the last one that this batch settles: the next one to read. */
  readonly next: number;
  /** Message keys by row, where any has one. raw-batch.ts reads keys and headers. */
  readonly keys?: Slices;
  readonly headers?: HeaderSlices;
  /** Values that are null (Kafka tombstones), by row; absent when there is none. */
  readonly nulls?: Uint8Array<ArrayBuffer>;
  /** Messages too long to be kept whole, by row: the size in bytes that they had; `bytes` has their beginning. */
  readonly truncated?: Readonly<Record<number, number>>;
}

/** What all decoded messages have. Entry i of each array belongs to the same message. */
export interface DecodedMessages {
  readonly rows: number;
  /** Index of each row's message in its RawBatch. */
  readonly index: Int32Array;
  /** The producer's id of the content; of content that names none, the decision id. */
  readonly contentId: string[];
  readonly customer: string[];
  /** Event time, microseconds since 1970 UTC: whole numbers. */
  readonly createdAt: Float64Array;
  /** Everything else that the message carried, as flat [key, value, key, value …]; null when nothing. */
  readonly metadata: (string[] | null)[];
  readonly deadLetters: DeadLetter[];
  /** Messages that were skipped, by reason. */
  readonly skipped: Record<string, number>;
}

/** Messages decoded to the columns of content. */
export interface DecodedBatch extends DecodedMessages {
  readonly text: string[];
  readonly userId: (string | null)[];
  readonly contentType: (string | null)[];
  /** BCP 47 language tag as the message names it, else null (detection may fill it in later). */
  readonly language: (string | null)[];
}

/** What feedback tells; see {@link FEEDBACK_KINDS}. */
export type FeedbackKind = 'flag' | 'moderation' | 'appeal';
/** Kinds of feedback: by users, by moderators, by authors; a row's kind is stored as its index here. */
export const FEEDBACK_KINDS: readonly FeedbackKind[] = ['flag', 'moderation', 'appeal'];

/** Messages decoded to the columns of feedback. */
export interface FeedbackBatch extends DecodedMessages {
  /** The sender's id of the feedback; the position id where the message names none. */
  readonly feedbackId: string[];
  /** Index into FEEDBACK_KINDS for each row. */
  readonly kind: Uint8Array;
  readonly actorId: (string | null)[];
  readonly action: (string | null)[];
  readonly reasons: (string[] | null)[];
  readonly automated: (boolean | null)[];
  readonly note: (string | null)[];
}

/** A table of the archive. */
export type TableName = 'content' | 'feedback';

/** What is done with a message; see ACTIONS for the order. */
export type Action = 'allow' | 'review' | 'block';
/** Actions in growing severity; a row's action is stored as its index here. */
export const ACTIONS: readonly Action[] = ['allow', 'review', 'block'];

/** The reason of rows in a language that no model judges. A fact, no score: score 1, threshold 1. */
export const UNSUPPORTED_LANGUAGE = 'unsupported_language';

/** Stage at which a message became a dead letter. */
export type DeadLetterStage = 'decode' | 'classify' | 'deliver';

/** A message that can never pass, with everything needed to send it again. */
export interface DeadLetter extends Position {
  readonly stage: DeadLetterStage;
  /** Bounded, stable word for the reason: `not_utf8`, `not_json`, `missing_field` … */
  readonly code: string;
  /** One sentence: what was expected, what came. Never the text itself. */
  readonly detail: string;
  readonly timestamp: number | null;
  readonly receivedAt: number;
  readonly bytes: Uint8Array;
  readonly key: Uint8Array | null;
  readonly headers: Readonly<Record<string, Uint8Array>> | null;
}

/** One shard's rows within a ScoredBatch. */
export interface ShardSlice {
  readonly table: TableName;
  /** Raw customer id, as the message gave it. */
  readonly customer: string;
  /** Day (and hour) of event time as `YYYY-MM-DD` or `YYYY-MM-DD/HH`, UTC. */
  readonly day: string;
  readonly rows: number;
  /** The slice's encoded columns are `arena[start .. end)`. */
  readonly start: number;
  readonly end: number;
}

/** Counts of one batch, for summaries and metrics. Keys are bounded by customers × labels. */
export interface Tally {
  /** `customer` → [allow, review, block]. */
  readonly actions: Record<string, [number, number, number]>;
  /** `customer` → label → rows that the label made review or block. */
  readonly reasons: Record<string, Record<string, number>>;
  /** Language tag (or `und`) → [allow, review, block]. */
  readonly languages: Record<string, [number, number, number]>;
  /** Language tag → rows that no model judges. */
  readonly unsupported: Record<string, number>;
}

/** Back from a worker: columns grouped by shard, moved, not copied. */
export interface ScoredBatch extends Partition {
  /** Accepted rows. */
  readonly rows: number;
  /** Where the batch begins, and the next offset to read after it. */
  readonly first: number;
  readonly next: number;
  /** Column slices of all shards, one after the other (archive/slice.ts has the layout). */
  readonly arena: Uint8Array<ArrayBuffer>;
  readonly shards: readonly ShardSlice[];
  readonly deadLetters: readonly DeadLetter[];
  /** What the sinks are told of the rows, where there is anything; see decisions.ts. */
  readonly decisions?: readonly Decision[];
  /** Decisions that a sink refused, as dead letters of the stage `deliver`: kept, but their offsets are settled by rows. */
  readonly refusals?: readonly DeadLetter[];
  readonly skipped: Readonly<Record<string, number>>;
  readonly tally: Tally;
  readonly seconds: Readonly<Record<string, number>>;
  readonly tokens: number;
  readonly padding: number;
  /** See VerdictBatch. */
  readonly work?: readonly ModelWork[];
}

/** A file that is uploaded but not visible to readers yet. */
export interface PreparedFile {
  /** Path below the store's root, with `/`; what readers will see. */
  readonly key: string;
  readonly bytes: number;
  readonly rows: number;
  /** CRC-32 of the whole file, 8 hex digits. */
  readonly crc32: string;
  /** What the store needs to publish it (a temporary name; an upload id and part tags). */
  readonly handle: Readonly<Record<string, unknown>>;
  /** The table of a shard file; `dead_letters` for files of dead letters. */
  readonly kind: TableName | 'dead_letters';
  readonly customer?: string;
  /** Event time range, microseconds UTC, of a shard file. */
  readonly minCreatedAt?: number;
  readonly maxCreatedAt?: number;
}

/** The offsets of one partition that a transaction settles: [from, to). */
export interface SettledRange extends Partition {
  readonly from: number;
  readonly to: number;
  readonly rows: number;
  readonly deadLetters: number;
  readonly skipped: number;
  /** Offsets without a message. With the three above it makes `to - from`. */
  readonly absent: number;
}

/** Why a flush began; a label of metrics. */
export type FlushReason = 'bytes' | 'rows' | 'age' | 'memory' | 'revoke' | 'end';

/** What one flush of the archive did. */
export interface FlushReport {
  readonly transaction: string;
  readonly reason: FlushReason;
  readonly files: number;
  readonly rows: number;
  readonly deadLetters: number;
  readonly bytes: number;
  readonly seconds: number;
}

/** The manifest of one flush: written before the commit, kept as its ledger entry. */
export interface Transaction {
  readonly version: 1;
  /** Sortable by time, unique. */
  readonly id: string;
  /** Name of the pipeline (for Kafka: with its consumer group) whose positions the commit moved. */
  readonly pipeline: string;
  readonly createdAt: string;
  readonly reason: FlushReason;
  readonly files: readonly PreparedFile[];
  readonly partitions: readonly SettledRange[];
}

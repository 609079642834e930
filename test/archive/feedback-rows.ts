import { encodeFeedbackSlices, type PartitionKey } from '../../src/archive/index.ts';
import { FEEDBACK_KINDS, type FeedbackBatch, type ScoredBatch } from '../../src/types.ts';

/** A row of feedback as a test states it. */
export interface FeedbackRow {
  readonly feedbackId: string;
  /** Index into FEEDBACK_KINDS. */
  readonly kind: number;
  readonly customer: string;
  readonly contentId: string;
  readonly actorId: string | null;
  readonly action: string | null;
  readonly reasons: readonly string[] | null;
  readonly automated: boolean | null;
  readonly note: string | null;
  /** µs UTC */
  readonly createdAt: number;
  readonly metadata: readonly (readonly [string, string])[] | null;
}

/** A row with plain values, those given replaced. */
export function feedbackOf(values: Partial<FeedbackRow> = {}): FeedbackRow {
  return {
    feedbackId: 'flag-1',
    kind: 0,
    customer: 'acme',
    contentId: 'post-1',
    actorId: 'user-9',
    action: null,
    reasons: null,
    automated: null,
    note: null,
    createdAt: Date.UTC(2026, 0, 1) * 1000,
    metadata: null,
    ...values,
  };
}

/** Rows of one partition of the topic `feedback`, consecutive from `first`. */
export interface FeedbackRows {
  readonly rows: readonly FeedbackRow[];
  readonly partition?: number;
  readonly first?: number;
  readonly partitionBy?: readonly PartitionKey[];
}

/** The batch as it comes back from a worker. */
export function scoredFeedback(batch: FeedbackRows): ScoredBatch {
  const { rows, partition = 0, first = 0, partitionBy = ['customer', 'day'] } = batch;
  const column = <Key extends keyof FeedbackRow>(key: Key) => rows.map((row) => row[key]);
  const decoded: FeedbackBatch = {
    rows: rows.length,
    index: Int32Array.from(rows, (_, i) => i),
    feedbackId: column('feedbackId'),
    kind: Uint8Array.from(column('kind')),
    customer: column('customer'),
    contentId: column('contentId'),
    actorId: column('actorId'),
    action: column('action'),
    reasons: rows.map(({ reasons }) => reasons && [...reasons]),
    automated: column('automated'),
    note: column('note'),
    createdAt: Float64Array.from(column('createdAt')),
    metadata: rows.map(({ metadata }) => metadata && metadata.flat()),
    deadLetters: [],
    skipped: {},
  };
  const raw = {
    topic: 'feedback',
    partition,
    offsets: Float64Array.from(rows, (_, i) => first + i),
    receivedAt: Date.UTC(2026, 0, 2),
  };
  const slices = encodeFeedbackSlices({ raw, decoded, partitionBy });
  const next = first + rows.length;
  const empty = { deadLetters: [], skipped: {}, seconds: {}, tokens: 0, padding: 0 };
  return { topic: 'feedback', partition, first, next, ...slices, ...empty };
}

/** What a reader of the file should see of a row, text as UTF-8 has it. */
export function expectedFeedback(batch: FeedbackRows, index: number): Record<string, unknown> {
  const row = batch.rows[index]!;
  const { partition = 0, first = 0 } = batch;
  const utf8 = (text: string | null) => text && text.toWellFormed();
  return {
    id: `feedback-${partition}-${first + index}`,
    customer: utf8(row.customer),
    feedback_id: utf8(row.feedbackId),
    kind: FEEDBACK_KINDS[row.kind],
    content_id: utf8(row.contentId),
    actor_id: utf8(row.actorId),
    action: utf8(row.action),
    reasons: row.reasons && row.reasons.map(utf8),
    automated: row.automated,
    note: utf8(row.note),
    created_at: row.createdAt,
    received_at: Date.UTC(2026, 0, 2) * 1000,
    metadata: row.metadata && row.metadata.map(([key, value]) => [utf8(key), utf8(value)]),
    topic: 'feedback',
    partition,
    offset: first + index,
  };
}

import type { FeedbackBatch, RawBatch } from '../types.ts';
import type { PartitionKey } from './config.ts';
import type { EncodedSlices } from './content-slices.ts';
import { FEEDBACK } from './feedback-table.ts';
import { encodeTableSlices } from './table-slices.ts';

/** About the bytes of a row without its note. */
const ROW_BYTES = 192;

/** Columns of one batch of feedback as slices. Its tally is empty: nothing was decided. */
export function encodeFeedbackSlices({
  raw,
  decoded,
  partitionBy,
}: {
  readonly raw: Pick<RawBatch, 'topic' | 'partition' | 'offsets' | 'receivedAt'>;
  readonly decoded: FeedbackBatch;
  readonly partitionBy: readonly PartitionKey[];
}): EncodedSlices {
  const { arena, shards, order } = encodeTableSlices({
    table: FEEDBACK,
    raw,
    decoded,
    values: {
      feedback_id: decoded.feedbackId,
      kind: decoded.kind,
      actor_id: decoded.actorId,
      action: decoded.action,
      reasons: decoded.reasons,
      automated: decoded.automated,
      note: decoded.note,
    },
    constants: {},
    partitionBy,
    rowBytes: ROW_BYTES,
  });
  return {
    arena,
    shards,
    rows: order.length,
    tally: { actions: {}, reasons: {}, languages: {}, unsupported: {} },
  };
}

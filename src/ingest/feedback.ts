import type { FeedbackBatch, RawBatch } from '../types.ts';
import type { IngestConfig } from './config.ts';
import { createFeedbackRowReader, type FeedbackRow } from './feedback-row.ts';
import { createMessagesReader, tooLong } from './read-messages.ts';

/**
 * Makes the decoder of feedback messages; rules and limits are those of content (see `createDecoder`). A message is
 * `{ id?, kind, customer, content_id, actor_id?, action?, reasons?, automated?, note?, created_at?, metadata? }`, anything
 * else in it is metadata; the customer may come in a header `customer`.
 *
 * Dead letters, stage `decode`, beside those of any message (`too_large`, `not_utf8`, `not_json`, `not_an_object`,
 * `too_deep`): `missing_field` (customer, kind, content_id), `unknown_kind`, `several_targets` (one message is about one
 * content), `wrong_type`, `bad_timestamp`. Skipped: `tombstone`, `blank`.
 */
export function createFeedbackDecoder(config: IngestConfig): (batch: RawBatch) => FeedbackBatch {
  const row: FeedbackRow = {
    id: null,
    kind: 0,
    customer: '',
    contentId: '',
    actorId: null,
    action: null,
    reasons: null,
    automated: null,
    note: null,
    createdAt: 0,
    metadata: null,
  };
  const readRow = createFeedbackRowReader(config, row);
  const readMessages = createMessagesReader({
    maxMessageBytes: config.max_message_bytes,
    read: (root, batch, index) =>
      readRow(root, batch, index) ??
      tooLong('customer', row.customer, config.max_customer_bytes) ??
      tooLong('note', row.note ?? '', config.max_text_bytes),
  });

  return (batch) => {
    const { topic, partition } = batch;
    const createdAt = new Float64Array(batch.rows);
    const kind = new Uint8Array(batch.rows);
    const feedbackId: string[] = [];
    const customer: string[] = [];
    const contentId: string[] = [];
    const actorId: (string | null)[] = [];
    const action: (string | null)[] = [];
    const reasons: (string[] | null)[] = [];
    const automated: (boolean | null)[] = [];
    const note: (string | null)[] = [];
    const metadata: (string[] | null)[] = [];
    const read = readMessages(batch, (at, mayHaveSurrogates) => {
      if (mayHaveSurrogates) makeWellFormed(row);
      createdAt[contentId.length] = row.createdAt;
      kind[contentId.length] = row.kind;
      feedbackId.push(row.id ?? `${topic}-${partition}-${batch.offsets[at]!}`);
      customer.push(row.customer);
      contentId.push(row.contentId);
      actorId.push(row.actorId);
      action.push(row.action);
      reasons.push(row.reasons);
      automated.push(row.automated);
      note.push(row.note);
      metadata.push(row.metadata);
    });
    return {
      ...read,
      feedbackId,
      kind: kind.subarray(0, read.rows),
      customer,
      contentId,
      actorId,
      action,
      reasons,
      automated,
      note,
      createdAt: createdAt.subarray(0, read.rows),
      metadata,
    };
  };
}

function makeWellFormed(row: FeedbackRow): void {
  row.customer = row.customer.toWellFormed();
  row.contentId = row.contentId.toWellFormed();
  row.id = row.id?.toWellFormed() ?? null;
  row.actorId = row.actorId?.toWellFormed() ?? null;
  row.action = row.action?.toWellFormed() ?? null;
  row.note = row.note?.toWellFormed() ?? null;
  row.reasons = row.reasons?.map((text) => text.toWellFormed()) ?? null;
  row.metadata = row.metadata?.map((text) => text.toWellFormed()) ?? null;
}

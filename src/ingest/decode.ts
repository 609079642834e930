import type { DecodedBatch, RawBatch } from '../types.ts';
import type { IngestConfig } from './config.ts';
import { createMessagesReader, tooLong } from './read-messages.ts';
import { createRowReader, type Row } from './row.ts';

/**
 * Makes the decoder of a configuration: JSON messages in, columns, dead letters and counts of skipped messages out. It
 * reads nothing but the batch, never throws for what a message holds, and a message is in exactly one of the three.
 *
 * Skipped: `tombstone` (null value), `blank` (nothing but white space), `delete`, `truncate`, `message` (Debezium).
 * Dead letters, stage `decode`: `too_large`, `not_utf8`, `not_json`, `not_an_object`, `not_an_envelope`, `missing_field`,
 * `wrong_type`, `empty_text`, `bad_timestamp`, `too_deep`; their details name fields and types, never what was written.
 *
 * As JSON.parse has it, the last of two equal keys wins. Lone surrogates (`"\ud800"`) become U+FFFD, since no UTF-8 can
 * hold them; everything else in a text stays as it is, NUL included. A byte order mark before the message is ignored.
 */
export function createDecoder(config: IngestConfig): (batch: RawBatch) => DecodedBatch {
  const row: Row = {
    id: null,
    customer: '',
    text: '',
    user: null,
    type: null,
    lang: null,
    createdAt: 0,
    metadata: null,
  };
  const readRow = createRowReader(config, row);
  const {
    max_message_bytes: maxMessageBytes,
    max_text_bytes: maxText,
    max_customer_bytes: maxCustomer,
  } = config;
  const readMessages = createMessagesReader({
    maxMessageBytes,
    read: (root, batch, index) =>
      readRow(root, batch, index) ??
      tooLong('customer', row.customer, maxCustomer) ??
      tooLong('text', row.text, maxText),
  });

  return (batch) => {
    const { topic, partition } = batch;
    const createdAt = new Float64Array(batch.rows);
    const contentId: string[] = [];
    const customer: string[] = [];
    const text: string[] = [];
    const userId: (string | null)[] = [];
    const contentType: (string | null)[] = [];
    const language: (string | null)[] = [];
    const metadata: (string[] | null)[] = [];
    const read = readMessages(batch, (at, mayHaveSurrogates) => {
      if (mayHaveSurrogates) makeWellFormed(row);
      createdAt[contentId.length] = row.createdAt;
      contentId.push(row.id ?? `${topic}-${partition}-${batch.offsets[at]!}`);
      customer.push(row.customer);
      text.push(row.text);
      userId.push(row.user);
      contentType.push(row.type);
      language.push(row.lang);
      metadata.push(row.metadata);
    });
    return {
      ...read,
      contentId,
      customer,
      text,
      userId,
      contentType,
      language,
      createdAt: createdAt.subarray(0, read.rows),
      metadata,
    };
  };
}

function makeWellFormed(row: Row): void {
  row.customer = row.customer.toWellFormed();
  row.text = row.text.toWellFormed();
  row.id = row.id?.toWellFormed() ?? null;
  row.user = row.user?.toWellFormed() ?? null;
  row.type = row.type?.toWellFormed() ?? null;
  row.lang = row.lang?.toWellFormed() ?? null;
  row.metadata = row.metadata?.map((text) => text.toWellFormed()) ?? null;
}

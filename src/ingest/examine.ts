import type { DecodedMessages, RawBatch } from '../types.ts';
import type { IngestConfig } from './config.ts';
import { createDecoder } from './decode.ts';
import { createFeedbackDecoder } from './feedback.ts';
import { createRecordBatches, type KafkaRecord } from './record-batches.ts';

/** What would become of a message: the row that it makes, or why it makes none. */
export type Examined =
  | {
      readonly kind: 'row';
      readonly customer: string;
      readonly contentId: string;
      /** Null for feedback. */
      readonly text: string | null;
    }
  | { readonly kind: 'dead'; readonly code: string; readonly detail: string };

/** Tells before a message is produced what the decoder will make of it. */
export type Examiner = (record: Omit<KafkaRecord, 'offset' | 'timestamp'>) => Examined;

/**
 * Makes the examiners of a configuration. The decoders themselves decide, so nothing passes that ends as a dead letter. A
 * message that would be skipped is `dead`, too.
 */
export function createExaminers(config: IngestConfig): Readonly<Record<'content' | 'feedback', Examiner>> {
  const decode = createDecoder(config);
  const decodeFeedback = createFeedbackDecoder(config);
  return {
    content: (record) => {
      const decoded = decode(batchOf(record));
      return examined(decoded, decoded.text[0] ?? null);
    },
    feedback: (record) => examined(decodeFeedback(batchOf(record)), null),
  };
}

function batchOf(record: Parameters<Examiner>[0]): RawBatch {
  const batches = createRecordBatches(
    { topic: 'examined', partition: 0 },
    { batchMessages: 1, batchBytes: Infinity },
    0,
  );
  batches.add({ ...record, offset: 0, timestamp: Date.now() });
  return batches.take(1)!;
}

function examined(
  { deadLetters, skipped, customer, contentId }: DecodedMessages,
  text: string | null,
): Examined {
  const [dead] = deadLetters;
  if (dead) return { kind: 'dead', code: dead.code, detail: dead.detail };
  const [reason] = Object.keys(skipped);
  if (reason !== undefined)
    return { kind: 'dead', code: reason, detail: `expected a message, got a ${reason} one` };
  return { kind: 'row', customer: customer[0]!, contentId: contentId[0]!, text };
}

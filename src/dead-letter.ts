import { headersOf, keyOf } from './raw-batch.ts';
import type { DeadLetter, DeadLetterStage, RawBatch } from './types.ts';

/** Why a message is a dead letter. */
export interface DeadLetterReason {
  readonly stage: DeadLetterStage;
  readonly code: string;
  readonly detail: string;
}

/** The dead letter of message `index` of a batch, with a copy of its bytes. */
export function deadLetterOf(batch: RawBatch, index: number, reason: DeadLetterReason): DeadLetter {
  const timestamp = batch.timestamps[index]!;
  return {
    topic: batch.topic,
    partition: batch.partition,
    offset: batch.offsets[index]!,
    stage: reason.stage,
    code: reason.code,
    detail: reason.detail,
    timestamp: Number.isNaN(timestamp) ? null : timestamp,
    receivedAt: batch.receivedAt,
    // A copy: a view would carry the whole batch's memory with it to another thread.
    bytes: batch.bytes.slice(batch.starts[index], batch.ends[index]),
    key: keyOf(batch, index),
    headers: headersOf(batch, index),
  };
}

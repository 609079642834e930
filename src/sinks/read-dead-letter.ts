import { headersOf, keyOf } from '../raw-batch.ts';
import type { DeadLetter, DeadLetterStage, RawBatch } from '../types.ts';

const STAGES: readonly string[] = ['decode', 'classify', 'deliver'] satisfies DeadLetterStage[];
/** Headers that the topic of dead letters adds; what is left are those of the message. */
const ADDED = ['id', 'topic', 'partition', 'offset', 'timestamp', 'received-at', 'stage', 'code', 'detail'];
const PREFIX = 'sluice-';
const WHOLE_NUMBER = /^\d{1,15}$/;

/** The dead letter that a record of the topic of dead letters holds; undefined for a record that is none. */
export function readDeadLetter(batch: RawBatch, row: number): DeadLetter | undefined {
  const headers = headersOf(batch, row);
  if (!headers || batch.nulls?.[row]) return undefined;
  const added: Record<string, string | undefined> = {};
  for (const name of ADDED) {
    const value = headers[PREFIX + name];
    if (value) added[name] = Buffer.from(value).toString();
  }
  const { topic, partition = '', offset = '', timestamp, stage = '', code, detail } = added;
  const receivedAt = added['received-at'] ?? '';
  const isOurs = [partition, offset, receivedAt].every((text) => WHOLE_NUMBER.test(text));
  if (!isOurs || topic === undefined || code === undefined || !STAGES.includes(stage)) return undefined;
  const isAdded = (name: string) => name.startsWith(PREFIX) && ADDED.includes(name.slice(PREFIX.length));
  const original = Object.entries(headers).filter(([name]) => !isAdded(name));
  return {
    topic,
    partition: Number(partition),
    offset: Number(offset),
    stage: stage as DeadLetterStage,
    code,
    detail: detail ?? '',
    timestamp: timestamp === undefined ? null : Number(timestamp),
    receivedAt: Number(receivedAt),
    bytes: batch.bytes.slice(batch.starts[row], batch.ends[row]),
    key: keyOf(batch, row),
    headers: original.length === 0 ? null : Object.fromEntries(original),
  };
}

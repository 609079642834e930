import type { DeadLetter } from '../types.ts';
import { concatenate } from './concatenate.ts';

/** Directory of dead letters below the store's root. The underscore hides it from pyarrow's datasets and from Athena. */
export const DEAD_LETTERS = '_dead_letters';

/** Dead letters of one day of receipt, as one file. */
export interface DeadLetterFile {
  readonly key: string;
  readonly content: Uint8Array<ArrayBuffer>;
  readonly rows: number;
}

/** Fields of a line of a dead letter file, in order; the query's view and redrive read them back. */
export interface DeadLetterLine {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly stage: string;
  readonly code: string;
  readonly detail: string;
  /** ISO 8601 UTC, or null where the source has none. */
  readonly timestamp: string | null;
  readonly received_at: string;
  /** Base64 of the original message, its key, and its headers. */
  readonly bytes: string;
  readonly key: string | null;
  readonly headers: Readonly<Record<string, string>> | null;
}

/** Dead letters as JSON lines, one file per day of receipt: `_dead_letters/dt=YYYY-MM-DD/<transaction>.jsonl`. */
export function deadLetterFiles(letters: readonly DeadLetter[], transaction: string): DeadLetterFile[] {
  // Bytes, not one long text: the engine's strings end at half a gigabyte.
  const days = new Map<string, Uint8Array[]>();
  const encoder = new TextEncoder();
  for (const letter of letters) {
    const line = lineOf(letter);
    const day = line.received_at.slice(0, 10);
    const encoded = encoder.encode(`${JSON.stringify(line)}\n`);
    const lines = days.get(day);
    if (lines) lines.push(encoded);
    else days.set(day, [encoded]);
  }
  return [...days].map(([day, lines]) => ({
    key: `${DEAD_LETTERS}/dt=${day}/${transaction}.jsonl`,
    content: concatenate(lines),
    rows: lines.length,
  }));
}

function lineOf(letter: DeadLetter): DeadLetterLine {
  const { topic, partition, offset, stage, code, detail, timestamp, receivedAt, bytes, key, headers } =
    letter;
  return {
    topic,
    partition,
    offset,
    stage,
    code,
    detail,
    timestamp:
      timestamp === null || Number.isNaN(new Date(timestamp).getTime())
        ? null
        : new Date(timestamp).toISOString(),
    received_at: new Date(receivedAt).toISOString(),
    bytes: base64(bytes),
    key: key && base64(key),
    headers:
      headers && Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, base64(value)])),
  };
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

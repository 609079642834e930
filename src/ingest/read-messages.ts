import { Buffer, isUtf8 } from 'node:buffer';
import { deadLetterOf } from '../dead-letter.ts';
import type { DeadLetter, RawBatch } from '../types.ts';
import { dead, type Outcome } from './field-reader.ts';
import { inspect, MAX_DEPTH, mayLoseDigits, parseExact, TOO_DEEP } from './json.ts';

const NEXT_CHARACTER = 0x80;
const LATER_BYTE_MASK = 0xc0;
/** Envelopes add levels around the values that the metadata's own limit is for. */
const MAX_ROOT_DEPTH = MAX_DEPTH + 4;

/** What became of a batch's messages: each is one of the accepted rows, a dead letter, or skipped. */
export interface MessagesRead {
  readonly rows: number;
  /** Index of each accepted row's message in its batch. */
  readonly index: Int32Array;
  readonly deadLetters: DeadLetter[];
  readonly skipped: Record<string, number>;
}

/** How {@link createMessagesReader} reads. */
export interface MessagesReaderOptions {
  readonly maxMessageBytes: number;
  /** Takes a parsed message apart, or says why it is no row. `exact`: asked again, with all digits of its numbers. */
  readonly read: (root: unknown, batch: RawBatch, index: number) => Outcome | null;
}

/**
 * Makes the function that parses the JSON messages of a batch one after the other: `accept` is called for each that `read`
 * took, with whether its texts may hold lone surrogates. A message never makes it throw. Skipped: `tombstone`, `blank`, and
 * what `read` skips; dead letters of stage `decode`: `too_large`, `not_utf8`, `not_json`, `too_deep`, and what `read` refuses.
 */
export function createMessagesReader({
  maxMessageBytes: maxMessage,
  read,
}: MessagesReaderOptions): (
  batch: RawBatch,
  accept: (index: number, mayHaveSurrogates: boolean) => void,
) => MessagesRead {
  function readMessage(batch: RawBatch, index: number, bytes: Buffer, isText: Utf8Check): Outcome | null {
    if (batch.nulls?.[index]) return { kind: 'skip', reason: 'tombstone' };
    const end = batch.ends[index]!;
    let start = batch.starts[index]!;
    const whole = batch.truncated?.[index];
    if (whole !== undefined || end - start > maxMessage) {
      const kept = whole === undefined ? '' : `; only the first ${end - start} are kept`;
      return dead('too_large', `expected at most ${maxMessage} bytes, got ${whole ?? end - start}${kept}`);
    }
    if (bytes[start] === 0xef && bytes[start + 1] === 0xbb && bytes[start + 2] === 0xbf && start + 3 <= end)
      start += 3;
    if (isBlank(bytes, start, end)) return { kind: 'skip', reason: 'blank' };
    if (!isText(start, end)) return dead('not_utf8', 'expected UTF-8, got other bytes');

    const text = bytes.toString('utf8', start, end);
    let root: unknown;
    try {
      root = JSON.parse(text);
    } catch (error) {
      return dead('not_json', `expected JSON, got something else${placeOf(error)}`);
    }
    const outcome: Outcome | null = mayLoseDigits(bytes, start, end)
      ? { kind: 'exact' }
      : read(root, batch, index);
    if (outcome?.kind !== 'exact') return outcome;
    // The slow parser calls itself for each level, so it may only see what is not too deep.
    if (inspect(root, MAX_ROOT_DEPTH) === TOO_DEEP)
      return dead('too_deep', `expected at most ${MAX_DEPTH} levels of nesting, got more`);
    return read(parseExact(text), batch, index);
  }

  return (batch, accept) => {
    const { rows, topic, partition } = batch;
    const bytes = Buffer.from(batch.bytes.buffer, batch.bytes.byteOffset, batch.bytes.byteLength);
    const isText = createUtf8Check(bytes);
    const mayHaveSurrogates = bytes.includes('\\ud') || bytes.includes('\\uD');
    const index = new Int32Array(rows);
    const deadLetters: DeadLetter[] = [];
    const skipped: Record<string, number> = {};
    let accepted = 0;
    for (let at = 0; at < rows; at++) {
      const outcome = readMessage(batch, at, bytes, isText);
      if (outcome === null) {
        index[accepted++] = at;
        accept(at, mayHaveSurrogates);
      } else if (outcome.kind === 'dead') {
        deadLetters.push(
          deadLetterOf(batch, at, { stage: 'decode', code: outcome.code, detail: outcome.detail }),
        );
      } else if (outcome.kind === 'skip') {
        skipped[outcome.reason] = (skipped[outcome.reason] ?? 0) + 1;
      } else {
        throw new Error(
          `message ${topic}-${partition}-${batch.offsets[at]!}: digits lost by the exact parser`,
        );
      }
    }
    return { rows: accepted, index: index.subarray(0, accepted), deadLetters, skipped };
  };
}

/** The outcome for a text that is longer than its limit in bytes of UTF-8; null where it is not. */
export function tooLong(field: string, text: string, limit: number): Outcome | null {
  // A UTF-16 unit takes one to three bytes.
  if (text.length * 3 <= limit) return null;
  const isLonger = text.length > limit || Buffer.byteLength(text) > limit;
  return isLonger ? dead('too_large', `${field}: expected at most ${limit} bytes of UTF-8, got more`) : null;
}

/** JSON's white space, and nothing else. */
function isBlank(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!;
    if (byte !== 32 && byte !== 9 && byte !== 13 && byte !== 10) return false;
  }
  return true;
}

/** The parser's messages quote the input, so only the place is taken from them. */
function placeOf(error: unknown): string {
  const place = error instanceof Error ? /at position (\d+)/.exec(error.message)?.[1] : undefined;
  return place === undefined ? '' : ` at character ${place}`;
}

type Utf8Check = (start: number, end: number) => boolean;

/** Checks the whole buffer once; a part of valid text is valid when it begins and ends between characters. */
function createUtf8Check(bytes: Buffer): Utf8Check {
  const startsCharacter = (at: number) =>
    at >= bytes.length || (bytes[at]! & LATER_BYTE_MASK) !== NEXT_CHARACTER;
  if (isUtf8(bytes)) return (start, end) => startsCharacter(start) && startsCharacter(end);
  return (start, end) => isUtf8(bytes.subarray(start, end));
}

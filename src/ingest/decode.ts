import { Buffer, isUtf8 } from 'node:buffer';
import { deadLetterOf } from '../dead-letter.ts';
import type { DeadLetter, DecodedBatch, RawBatch } from '../types.ts';
import type { IngestConfig } from './config.ts';
import { inspect, MAX_DEPTH, mayLoseDigits, parseExact, TOO_DEEP } from './json.ts';
import { createRowReader, type Outcome, type Row } from './row.ts';

const NEXT_CHARACTER = 0x80;
const LATER_BYTE_MASK = 0xc0;
/** Envelopes add levels around the values that the metadata's own limit is for. */
const MAX_ROOT_DEPTH = MAX_DEPTH + 4;

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
  const { max_message_bytes: maxMessage, max_text_bytes: maxText, max_customer_bytes: maxCustomer } = config;

  /** Fills `row` from message `index`, or says why not. */
  function decodeMessage(batch: RawBatch, index: number, bytes: Buffer, isText: Utf8Check): Outcome | null {
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
    let outcome: Outcome | null = mayLoseDigits(bytes, start, end)
      ? { kind: 'exact' }
      : readRow(root, batch, index);
    if (outcome?.kind === 'exact') {
      // The slow parser calls itself for each level, so it may only see what is not too deep.
      if (inspect(root, MAX_ROOT_DEPTH) === TOO_DEEP) return tooDeep();
      outcome = readRow(parseExact(text), batch, index);
    }
    if (outcome) return outcome;
    if (isLonger(row.customer, maxCustomer)) return tooLong('customer', maxCustomer);
    return isLonger(row.text, maxText) ? tooLong('text', maxText) : null;
  }

  return (batch) => {
    const { rows, topic, partition } = batch;
    const bytes = Buffer.from(batch.bytes.buffer, batch.bytes.byteOffset, batch.bytes.byteLength);
    const isText = createUtf8Check(bytes);
    const mayHaveSurrogates = bytes.includes('\\ud') || bytes.includes('\\uD');
    const index = new Int32Array(rows);
    const createdAt = new Float64Array(rows);
    const contentId: string[] = [];
    const customer: string[] = [];
    const text: string[] = [];
    const userId: (string | null)[] = [];
    const contentType: (string | null)[] = [];
    const language: (string | null)[] = [];
    const metadata: (string[] | null)[] = [];
    const deadLetters: DeadLetter[] = [];
    const skipped: Record<string, number> = {};
    let accepted = 0;
    for (let at = 0; at < rows; at++) {
      const outcome = decodeMessage(batch, at, bytes, isText);
      if (outcome === null) {
        if (mayHaveSurrogates) makeWellFormed(row);
        index[accepted] = at;
        createdAt[accepted] = row.createdAt;
        contentId.push(row.id ?? `${topic}-${partition}-${batch.offsets[at]!}`);
        customer.push(row.customer);
        text.push(row.text);
        userId.push(row.user);
        contentType.push(row.type);
        language.push(row.lang);
        metadata.push(row.metadata);
        accepted++;
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
    return {
      rows: accepted,
      index: index.subarray(0, accepted),
      contentId,
      customer,
      text,
      userId,
      contentType,
      language,
      createdAt: createdAt.subarray(0, accepted),
      metadata,
      deadLetters,
      skipped,
    };
  };
}

function dead(code: string, detail: string): Outcome {
  return { kind: 'dead', code, detail };
}

function tooDeep(): Outcome {
  return dead('too_deep', `expected at most ${MAX_DEPTH} levels of nesting, got more`);
}

function tooLong(field: string, limit: number): Outcome {
  return dead('too_large', `${field}: expected at most ${limit} bytes of UTF-8, got more`);
}

function isLonger(text: string, limit: number): boolean {
  // A UTF-16 unit takes one to three bytes.
  if (text.length * 3 <= limit) return false;
  return text.length > limit || Buffer.byteLength(text) > limit;
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

function makeWellFormed(row: Row): void {
  row.customer = row.customer.toWellFormed();
  row.text = row.text.toWellFormed();
  row.id = row.id?.toWellFormed() ?? null;
  row.user = row.user?.toWellFormed() ?? null;
  row.type = row.type?.toWellFormed() ?? null;
  row.lang = row.lang?.toWellFormed() ?? null;
  row.metadata = row.metadata?.map((text) => text.toWellFormed()) ?? null;
}

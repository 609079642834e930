import type { RawBatch } from '../types.ts';
import type { IngestConfig } from './config.ts';
import { changeTime, unwrapChange } from './debezium.ts';
import { INFINITE, isObject, jsonType, rawNumber, TOO_DEEP, type JsonObject } from './json.ts';
import { compileMapping, labelOf, lookUp, NOT_UTF8, takeOut } from './mapping.ts';
import { collectMetadata, type MetadataPart } from './metadata.ts';
import type { Field } from './presets.ts';
import { parseTimestamp } from './timestamp.ts';

/** One message's columns; the same object is filled again for each message. */
export interface Row {
  id: string | null;
  customer: string;
  text: string;
  user: string | null;
  type: string | null;
  lang: string | null;
  /** Microseconds since 1970 UTC. */
  createdAt: number;
  metadata: string[] | null;
}

/** Why a message became no row. `exact`: it must be parsed again, keeping the digits of its numbers. */
export type Outcome =
  | { readonly kind: 'dead'; readonly code: string; readonly detail: string }
  | { readonly kind: 'skip'; readonly reason: string }
  | { readonly kind: 'exact' };

const AGAIN: Outcome = { kind: 'exact' };

function dead(code: string, detail: string): Outcome {
  return { kind: 'dead', code, detail };
}

/**
 * Makes the function that fills `row` from a parsed message (which it takes apart) and answers null, or says why it
 * cannot. A field that is null or an empty string counts as absent; text must not be empty.
 */
export function createRowReader(
  config: IngestConfig,
  row: Row,
): (root: unknown, batch: RawBatch, index: number) => Outcome | null {
  const { mapping, envelope } = compileMapping(config);
  const maxFuture = config.max_future;
  /** Set by `pick` and the readers below it: the reason to refuse the message. */
  let problem: Outcome | null = null;
  /** Set by `pick`: whether a candidate was there, but empty. */
  let empty = false;

  /** The first present candidate's value, else undefined; it and the empty ones before it are marked as taken. */
  function pick(field: Field, body: JsonObject, batch: RawBatch, index: number): unknown {
    const candidates = mapping[field];
    empty = false;
    for (let at = 0; at < candidates.length; at++) {
      const value = lookUp(candidates[at]!, body, batch, index);
      if (value === undefined) continue;
      if (value === NOT_UTF8) {
        problem ??= dead('not_utf8', `${field}: expected UTF-8 in ${candidates[at]!.label}, got other bytes`);
        return undefined;
      }
      taken.push(candidates[at]!);
      if (value !== null && value !== '') return value;
      if (value === '') empty = true;
    }
    return undefined;
  }
  const taken: (typeof mapping)[Field][number][] = [];

  function wrongType(field: Field, expected: string, value: unknown): null {
    problem ??= dead('wrong_type', `${field}: expected ${expected}, got ${jsonType(value)}`);
    return null;
  }

  /** A string, or a number in its own digits. */
  function name(field: Field, body: JsonObject, batch: RawBatch, index: number): string | null {
    const value = pick(field, body, batch, index);
    if (typeof value === 'string') return value;
    if (value === undefined) return null;
    if (typeof value === 'number') {
      if (!Number.isFinite(value)) problem ??= AGAIN;
      return String(value);
    }
    return rawNumber(value) ?? wrongType(field, 'a string or a number', value);
  }

  function missing(field: Field, code: string): Outcome {
    const got = empty ? 'an empty string' : 'nothing';
    return dead(code, `${field}: expected a string in ${labelOf(mapping[field])}, got ${got}`);
  }

  function readCreatedAt(
    body: JsonObject,
    around: JsonObject | null,
    batch: RawBatch,
    index: number,
  ): number {
    const value = pick('created_at', body, batch, index);
    if (value === undefined) {
      const changedAt = around && changeTime(around);
      if (changedAt) return changedAt * 1000;
      const millis = batch.timestamps[index]!;
      return (millis >= 0 ? millis : batch.receivedAt) * 1000;
    }
    const kept = rawNumber(value);
    if (kept === null && typeof value !== 'string' && typeof value !== 'number') {
      wrongType('created_at', 'a string or a number', value);
      return NaN;
    }
    const micros = parseTimestamp(kept ?? value);
    if (Number.isNaN(micros)) {
      problem ??= dead(
        'bad_timestamp',
        'created_at: expected ISO 8601 or a number since 1970, got another value',
      );
    } else if (micros > (batch.receivedAt + maxFuture) * 1000) {
      const limit = `at most ${maxFuture / 1000} s after receipt`;
      problem ??= dead('bad_timestamp', `created_at: expected a time ${limit}, got a later one`);
    }
    return micros;
  }

  /** The mapped object whose entries join the metadata; another type stays where it is, as any unknown field. */
  function pickMetadata(body: JsonObject, batch: RawBatch, index: number): MetadataPart | null {
    for (const path of mapping.metadata) {
      const value = lookUp(path, body, batch, index);
      if (value === undefined || (value !== null && !isObject(value))) continue;
      taken.push(path);
      if (value !== null) return { object: value, prefix: `${path.label}.` };
    }
    return null;
  }

  function fill(body: JsonObject, around: JsonObject | null, batch: RawBatch, index: number): Outcome | null {
    problem = null;
    taken.length = 0;
    const customer = name('customer', body, batch, index);
    if (problem) return problem;
    if (customer === null) return missing('customer', 'missing_field');
    const text = pick('text', body, batch, index);
    if (problem) return problem;
    if (typeof text !== 'string') {
      if (text === undefined) return missing('text', empty ? 'empty_text' : 'missing_field');
      wrongType('text', 'a string', text);
      return problem;
    }
    row.customer = customer;
    row.text = text;
    row.id = name('id', body, batch, index);
    row.user = name('user', body, batch, index);
    row.type = name('type', body, batch, index);
    row.lang = name('lang', body, batch, index);
    row.createdAt = readCreatedAt(body, around, batch, index);
    const nested = pickMetadata(body, batch, index);
    if (problem) return problem;

    // Only when all fields are read: two fields may have the same path.
    for (let at = 0; at < taken.length; at++) takeOut(taken[at]!, body);
    const parts: MetadataPart[] = [{ object: body, prefix: '' }];
    if (nested) parts.push(nested);
    if (around) parts.push({ object: around, prefix: 'debezium.', always: true });
    const metadata = collectMetadata(parts);
    if (metadata === TOO_DEEP) return dead('too_deep', 'expected at most 256 levels of nesting, got more');
    if (metadata === INFINITE) return AGAIN;
    row.metadata = metadata;
    return null;
  }

  return (root, batch, index) => {
    if (!isObject(root)) return dead('not_an_object', `expected a JSON object, got ${jsonType(root)}`);
    if (envelope === 'none') return fill(root, null, batch, index);
    const change = unwrapChange(root);
    if (change.kind === 'skip') return change;
    if (change.kind === 'refuse') return dead('not_an_envelope', change.detail);
    return fill(change.row, change.envelope, batch, index);
  };
}

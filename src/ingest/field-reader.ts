import type { RawBatch } from '../types.ts';
import { formatDuration } from '../units.ts';
import type { FieldPath } from './field-path.ts';
import { INFINITE, isObject, jsonType, rawNumber, TOO_DEEP, type JsonObject } from './json.ts';
import { labelOf, lookUp, NOT_UTF8, takeOut } from './mapping.ts';
import { collectMetadata, type MetadataPart } from './metadata.ts';
import { parseTimestamp } from './timestamp.ts';

/** Why a message became no row. `exact`: it must be parsed again, keeping the digits of its numbers. */
export type Outcome =
  | { readonly kind: 'dead'; readonly code: string; readonly detail: string }
  | { readonly kind: 'skip'; readonly reason: string }
  | { readonly kind: 'exact' };

const AGAIN: Outcome = { kind: 'exact' };

/** The outcome of a message that can never be a row. */
export function dead(code: string, detail: string): Outcome {
  return { kind: 'dead', code, detail };
}

/** Where the fields of a message are looked for. */
export interface FieldReaderOptions<Field extends string> {
  /** Candidates for each field: of those that are present the first one wins. */
  readonly mapping: Readonly<Record<Field, readonly FieldPath[]>>;
  /** How far ahead of its receipt a time may be, milliseconds. */
  readonly maxFuture: number;
}

/**
 * Reads the fields of one message after the other. A field that is null or an empty string counts as absent. The first field
 * that is not as expected is the message's {@link FieldReader.problem}; what is read after it does not count.
 */
export interface FieldReader<Field extends string> {
  /** Goes to another message: all fields are read from it, and taken out of `body` in the end. */
  begin(body: JsonObject, batch: RawBatch, index: number): void;
  /** Why the message is no row, as far as it was read. */
  problem(): Outcome | null;
  /** Makes a value the message's problem. */
  refuse(outcome: Outcome): void;
  /** Makes a value of another type the message's problem. */
  wrongType(field: Field, expected: string, value: unknown): void;
  /** The value of a field as it was parsed; undefined when absent. */
  value(field: Field): unknown;
  /** A string, or a number in its own digits; null when absent. */
  name(field: Field): string | null;
  /** A string; null when absent. */
  text(field: Field): string | null;
  /** Event time, µs UTC; where the message has none `changedAt` (milliseconds), else the source's time stamp, else receipt. */
  time(field: Field, changedAt?: number): number;
  /** The outcome for a field that is absent and must not be. `empty`: the code where it is there, but empty. */
  missing(field: Field, empty?: string): Outcome;
  /**
   * Everything that no field took, flat: what is left of the body, the entries of an object field, further parts. Undefined
   * when that is a problem. Call it last: it takes the body apart.
   */
  rest(field: Field, more?: MetadataPart): string[] | null | undefined;
}

/** Makes the reader of a mapping; it is used for all messages, one at a time. */
export function createFieldReader<Field extends string>({
  mapping,
  maxFuture,
}: FieldReaderOptions<Field>): FieldReader<Field> {
  let body: JsonObject = {};
  let batch!: RawBatch;
  let index = 0;
  let problem: Outcome | null = null;
  /** Set by `value`: whether a candidate was there, but empty. */
  let isEmpty = false;
  const taken: FieldPath[] = [];

  /** The first present candidate's value, else undefined; it and the empty ones before it are marked as taken. */
  function valueOf(field: Field): unknown {
    const candidates = mapping[field];
    isEmpty = false;
    for (let at = 0; at < candidates.length; at++) {
      const value = lookUp(candidates[at]!, body, batch, index);
      if (value === undefined) continue;
      if (value === NOT_UTF8) {
        problem ??= dead('not_utf8', `${field}: expected UTF-8 in ${candidates[at]!.label}, got other bytes`);
        return undefined;
      }
      taken.push(candidates[at]!);
      if (value !== null && value !== '') return value;
      if (value === '') isEmpty = true;
    }
    return undefined;
  }

  function wrongType(field: Field, expected: string, value: unknown): null {
    problem ??= dead('wrong_type', `${field}: expected ${expected}, got ${jsonType(value)}`);
    return null;
  }

  /** An object whose entries join the metadata; another type stays where it is, as any unknown field. */
  function objectOf(field: Field): MetadataPart | null {
    for (const path of mapping[field]) {
      const value = lookUp(path, body, batch, index);
      if (value === undefined || (value !== null && !isObject(value))) continue;
      taken.push(path);
      if (value !== null) return { object: value, prefix: `${path.label}.` };
    }
    return null;
  }

  return {
    begin(nextBody, nextBatch, nextIndex) {
      body = nextBody;
      batch = nextBatch;
      index = nextIndex;
      problem = null;
      taken.length = 0;
    },

    problem: () => problem,

    refuse(outcome) {
      problem ??= outcome;
    },

    wrongType,

    value: valueOf,

    name(field) {
      const value = valueOf(field);
      if (typeof value === 'string') return value;
      if (value === undefined) return null;
      if (typeof value === 'number') {
        if (!Number.isFinite(value)) problem ??= AGAIN;
        return String(value);
      }
      return rawNumber(value) ?? wrongType(field, 'a string or a number', value);
    },

    text(field) {
      const value = valueOf(field);
      if (typeof value === 'string') return value;
      return value === undefined ? null : wrongType(field, 'a string', value);
    },

    time(field, changedAt) {
      const value = valueOf(field);
      if (value === undefined) {
        if (changedAt) return changedAt * 1000;
        const millis = batch.timestamps[index]!;
        return (millis >= 0 ? millis : batch.receivedAt) * 1000;
      }
      const kept = rawNumber(value);
      if (kept === null && typeof value !== 'string' && typeof value !== 'number') {
        wrongType(field, 'a string or a number', value);
        return NaN;
      }
      const micros = parseTimestamp(kept ?? value);
      if (Number.isNaN(micros)) {
        problem ??= dead(
          'bad_timestamp',
          `${field}: expected ISO 8601 or a number since 1970, got another value`,
        );
      } else if (micros > (batch.receivedAt + maxFuture) * 1000) {
        const limit = `at most ${formatDuration(maxFuture)} after receipt`;
        problem ??= dead('bad_timestamp', `${field}: expected a time ${limit}, got a later one`);
      }
      return micros;
    },

    missing(field, empty = 'missing_field') {
      const got = isEmpty ? 'an empty string' : 'nothing';
      const code = isEmpty ? empty : 'missing_field';
      return dead(code, `${field}: expected a string in ${labelOf(mapping[field])}, got ${got}`);
    },

    rest(field, more) {
      const nested = objectOf(field);
      if (problem) return undefined;
      // Only when all fields are read: two fields may have the same path.
      for (let at = 0; at < taken.length; at++) takeOut(taken[at]!, body);
      const parts: MetadataPart[] = [{ object: body, prefix: '' }];
      if (nested) parts.push(nested);
      if (more) parts.push(more);
      const metadata = collectMetadata(parts);
      if (metadata === TOO_DEEP)
        problem = dead('too_deep', 'expected at most 256 levels of nesting, got more');
      else if (metadata === INFINITE) problem = AGAIN;
      else return metadata;
      return undefined;
    },
  };
}

/** Deepest nesting of objects and arrays that is accepted; beyond it a message is a dead letter `too_deep`. */
export const MAX_DEPTH = 256;

/** A JSON object as parsed; keys such as `__proto__` are own properties like any other. */
export type JsonObject = Record<string, unknown>;

/** Whether a parsed value is an object, not an array, null or a number kept as text. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && rawNumber(value) === null;
}

// Part of ECMAScript since 2026 and of Node since 21; TypeScript's library does not have it.
declare global {
  interface JSON {
    rawJSON(text: string): object;
    isRawJSON(value: unknown): value is { readonly rawJSON: string };
    parse(
      text: string,
      reviver: (key: string, value: unknown, context: { source?: string }) => unknown,
    ): unknown;
  }
}

/** The digits of a number that {@link parseExact} kept as text; null for any other value. */
export function rawNumber(value: unknown): string | null {
  return JSON.isRawJSON(value) ? value.rawJSON : null;
}

/**
 * `JSON.parse`, but a number whose text differs from what JavaScript would print stays text (see {@link rawNumber}), so
 * that no digit is lost; `JSON.stringify` prints that text. Some four times slower. The value must not be nested deeper
 * than MAX_DEPTH.
 */
export function parseExact(text: string): unknown {
  return JSON.parse(text, keepDigits);
}

function keepDigits(_key: string, value: unknown, context: { readonly source?: string }): unknown {
  if (typeof value !== 'number') return value;
  const { source } = context;
  return source === undefined || source === String(value) ? value : JSON.rawJSON(source);
}

function hasKeys(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null;
}

/** A value is nested too deeply. */
export const TOO_DEEP = Symbol('too deep');
/** A number is beyond JavaScript's range and became Infinity. */
export const INFINITE = Symbol('infinite');

/** Looks for what `JSON.stringify` would fail at or spoil; `levels` is how deep `value` may be nested, itself counted. */
export function inspect(value: unknown, levels: number): typeof TOO_DEEP | typeof INFINITE | null {
  if (typeof value === 'number') return Number.isFinite(value) ? null : INFINITE;
  if (!hasKeys(value)) return null;
  if (levels === 0) return TOO_DEEP;
  let found: typeof INFINITE | null = null;
  if (Array.isArray(value)) {
    for (const item of value) {
      const problem = inspect(item, levels - 1);
      if (problem === TOO_DEEP) return problem;
      found ??= problem;
    }
    return found;
  }
  for (const key in value) {
    const problem = inspect(value[key], levels - 1);
    if (problem === TOO_DEEP) return problem;
    found ??= problem;
  }
  return found;
}

/** The type of a parsed value, in JSON's words, for details of dead letters. */
export function jsonType(value: unknown): string {
  if (value === null) return 'null';
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object') return rawNumber(value) === null ? 'an object' : 'a number';
  return `a ${typeof value}`;
}

/**
 * Whether UTF-8 JSON in `bytes[start .. end)` may hold a number with more digits than a JavaScript number keeps. May be
 * wrong in saying yes (digits within a string), never in saying no; numbers out of range are {@link inspect}'s to find.
 */
export function mayLoseDigits(bytes: Uint8Array, start: number, end: number): boolean {
  // A run of 16 covers one of any 16 consecutive places, so only every 16th byte needs a look.
  for (let probe = start + 15; probe < end; probe += 16) {
    if (!isDigitOrPoint(bytes[probe]!)) continue;
    let from = probe;
    while (from > start && isDigitOrPoint(bytes[from - 1]!)) from--;
    let to = probe + 1;
    while (to < end && isDigitOrPoint(bytes[to]!)) to++;
    if (to - from >= 16 && canStartNumber(bytes, from, start) && !isExact(bytes, from, to)) return true;
    // The byte at `to` belongs to no run, so the next one starts after it.
    probe = to - 1;
  }
  return false;
}

function isDigitOrPoint(byte: number): boolean {
  return (byte >= 48 && byte <= 57) || byte === 46;
}

/** Within a number, what stands before its digits; anything else before them means that they are part of a string. */
function canStartNumber(bytes: Uint8Array, at: number, start: number): boolean {
  if (at === start) return true;
  switch (bytes[at - 1]!) {
    case 58: // :
    case 44: // ,
    case 91: // [
    case 45: // -
    case 43: // +
    case 69: // E
    case 101: // e
    case 32:
    case 9:
    case 10:
    case 13:
      return true;
    default:
      return false;
  }
}

/** 16 digits below 9·10^15 are below 2^53. */
function isExact(bytes: Uint8Array, from: number, to: number): boolean {
  if (to - from > 16 || bytes[from]! >= 57) return false;
  for (let at = from; at < to; at++) if (bytes[at] === 46) return false;
  // An exponent behind it makes it larger.
  return bytes[to] !== 101 && bytes[to] !== 69;
}

import { HttpRefusal } from './http-refusal.ts';

/** Deepest nesting of a body; what is nested deeper is refused before it is parsed, since parsing calls itself. */
export const MAX_DEPTH = 64;

/** A JSON object as parsed; keys such as `__proto__` are own properties like any other. */
export type JsonObject = Readonly<Record<string, unknown>>;

const strict = new TextDecoder('utf-8', { fatal: true });

/**
 * Reads a body: UTF-8, a JSON object, not too deep. Numbers that JavaScript would change stay text (`JSON.rawJSON`), so that
 * no digit is lost on the way. Throws HttpRefusal (400), whose reason never shows what was sent.
 */
export function readBody(bytes: Uint8Array): JsonObject {
  let text: string;
  try {
    text = strict.decode(bytes);
  } catch {
    throw new HttpRefusal(400, ['The body is not UTF-8.']);
  }
  if (depthOf(text) > MAX_DEPTH)
    throw new HttpRefusal(400, [`The body is nested deeper than ${MAX_DEPTH} levels.`]);
  let value: unknown;
  try {
    value = JSON.parse(text, keepDigits);
  } catch {
    throw new HttpRefusal(400, ['The body is not JSON.']);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value) || JSON.isRawJSON(value))
    throw new HttpRefusal(400, ['The body is not a JSON object.']);
  return value as JsonObject;
}

function keepDigits(_key: string, value: unknown, context: { readonly source?: string }): unknown {
  if (typeof value !== 'number') return value;
  const { source } = context;
  return source === undefined || source === String(value) ? value : JSON.rawJSON(source);
}

const [QUOTE, BACKSLASH] = [34, 92];

/** How many objects and arrays are open at most at one place of a JSON text; of other texts anything. */
export function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let isInString = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (isInString) {
      if (code === BACKSLASH) at++;
      else if (code === QUOTE) isInString = false;
    } else if (code === QUOTE) isInString = true;
    else if (code === 123 || code === 91) deepest = Math.max(deepest, ++depth);
    else if (code === 125 || code === 93) depth--;
  }
  return deepest;
}

import { isObject, jsonType, type JsonObject } from './json.ts';

/** What a change envelope means: a row, nothing to moderate (with the reason to count), or no envelope at all. */
export type Change =
  | { readonly kind: 'row'; readonly row: JsonObject; readonly envelope: JsonObject }
  | { readonly kind: 'skip'; readonly reason: 'tombstone' | 'delete' | 'truncate' | 'message' }
  | { readonly kind: 'refuse'; readonly detail: string };

/**
 * Unwraps a Debezium change: with or without the `schema` and `payload` around it (the schema describes types and is
 * left out). `envelope` is the payload without its row: operation, source, transaction, the row before.
 */
export function unwrapChange(root: JsonObject): Change {
  const payload = payloadOf(root);
  if (payload === null) return { kind: 'skip', reason: 'tombstone' };
  if (!isObject(payload)) {
    return { kind: 'refuse', detail: `payload: expected a change envelope, got ${jsonType(payload)}` };
  }
  switch (payload['op']) {
    case 'd':
      return { kind: 'skip', reason: 'delete' };
    case 't':
      return { kind: 'skip', reason: 'truncate' };
    case 'm':
      return { kind: 'skip', reason: 'message' };
    case 'c':
    case 'r':
    case 'u': {
      const row = payload['after'];
      if (!isObject(row)) {
        return { kind: 'refuse', detail: `after: expected an object with the row, got ${jsonType(row)}` };
      }
      payload['after'] = undefined;
      return { kind: 'row', row, envelope: payload };
    }
    default:
      return {
        kind: 'refuse',
        detail: `op: expected c, r, u, d, t or m, got ${payload['op'] === undefined ? 'nothing' : 'another value'}`,
      };
  }
}

function payloadOf(root: JsonObject): unknown {
  if (!Object.hasOwn(root, 'payload')) return root;
  for (const key in root) if (key !== 'payload' && key !== 'schema') return root;
  return root['payload'];
}

/** When a change was made in its database, else when it was captured: milliseconds UTC; undefined when it does not say. */
export function changeTime(envelope: JsonObject): number | undefined {
  const { source, ts_ms: captured } = envelope;
  const made = isObject(source) ? source['ts_ms'] : undefined;
  return [made, captured].find((time): time is number => typeof time === 'number' && time > 0 && time < 1e14);
}

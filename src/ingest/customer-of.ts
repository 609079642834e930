import type { DeadLetter } from '../types.ts';
import type { IngestConfig } from './config.ts';
import { unwrapChange } from './debezium.ts';
import { isObject, type JsonObject } from './json.ts';
import { compileMapping, lookUp } from './mapping.ts';
import { createRecordBatches } from './record-batches.ts';

/**
 * Makes the function that tells whose a message is that became no row, as far as it can be told: undefined where it is not
 * JSON, or names no customer where the mapping looks for one.
 */
export function createCustomerOf(config: IngestConfig): (letter: DeadLetter) => string | undefined {
  const { mapping, envelope } = compileMapping(config);
  return (letter) => {
    const body = bodyOf(letter.bytes, envelope) ?? {};
    const batch = batchOf(letter);
    for (const path of mapping.customer) {
      const value = lookUp(path, body, batch, 0);
      if (typeof value === 'string' && value !== '') return value;
      if (typeof value === 'number') return String(value);
    }
    return undefined;
  };
}

function bodyOf(bytes: Uint8Array, envelope: 'none' | 'debezium'): JsonObject | undefined {
  let root: unknown;
  try {
    root = JSON.parse(Buffer.from(bytes).toString());
  } catch {
    // Most dead letters are no JSON; their key or headers may still say whose they are.
    return undefined;
  }
  if (!isObject(root)) return undefined;
  if (envelope === 'none') return root;
  const change = unwrapChange(root);
  return change.kind === 'row' ? change.row : undefined;
}

function batchOf({ topic, partition, offset, timestamp, bytes, key, headers }: DeadLetter) {
  const batches = createRecordBatches(
    { topic, partition },
    { batchMessages: 1, batchBytes: Infinity },
    offset,
  );
  batches.add({
    offset,
    timestamp: timestamp ?? -1,
    key,
    value: bytes,
    headers: headers && Object.entries(headers).map(([name, value]) => ({ name, value })),
  });
  return batches.take(offset + 1)!;
}

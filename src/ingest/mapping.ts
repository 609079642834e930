import { headerOf, keyOf } from '../raw-batch.ts';
import type { RawBatch } from '../types.ts';
import type { IngestConfig } from './config.ts';
import { parseFieldPath, type FieldPath } from './field-path.ts';
import { isObject, type JsonObject } from './json.ts';
import { FIELDS, PRESETS, type Field, type Preset } from './presets.ts';

/** For each field its candidates, the first present one wins; parsed once, when the decoder is made. */
export type Mapping = Readonly<Record<Field, readonly FieldPath[]>>;

/** The preset's candidates with the configured ones in their place. */
export function compileMapping(config: Pick<IngestConfig, 'preset' | 'fields'>): {
  readonly mapping: Mapping;
  readonly envelope: Preset['envelope'];
} {
  const preset = PRESETS[config.preset];
  const mapping: Record<Field, FieldPath[]> = {
    id: [],
    customer: [],
    text: [],
    user: [],
    type: [],
    lang: [],
    created_at: [],
    metadata: [],
  };
  for (const field of FIELDS) {
    const texts = config.fields[field] ?? preset.fields[field];
    mapping[field] = (typeof texts === 'string' ? [texts] : texts).map(parseFieldPath);
  }
  return { mapping, envelope: preset.envelope };
}

/** The candidates as a dead letter's detail names them: `customer or $header.customer`. */
export function labelOf(candidates: readonly FieldPath[]): string {
  return candidates.map(({ label }) => label).join(' or ');
}

/** A key or header that is not UTF-8. */
export const NOT_UTF8 = Symbol('not UTF-8');

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function textOf(bytes: Uint8Array | null | undefined): string | typeof NOT_UTF8 | undefined {
  if (!bytes) return undefined;
  try {
    return strict.decode(bytes);
  } catch {
    return NOT_UTF8;
  }
}

/** The value that a path finds in a message; undefined when there is none. `body` is what body paths look into. */
export function lookUp(path: FieldPath, body: JsonObject, batch: RawBatch, index: number): unknown {
  switch (path.from) {
    case 'body': {
      const { segments } = path;
      let value = own(body, segments[0]!);
      for (let depth = 1; depth < segments.length; depth++) {
        if (!isObject(value)) return undefined;
        value = own(value, segments[depth]!);
      }
      return value;
    }
    case 'key':
      return textOf(keyOf(batch, index));
    case 'header':
      return textOf(headerOf(batch, index, path.name));
    case 'topic':
      return batch.topic;
    case 'constant':
      return path.value;
    default:
      return undefined;
  }
}

function own(object: JsonObject, key: string): unknown {
  const value = object[key];
  // What every object inherits (`constructor`, `__proto__`) is no field. The test is for the rare case only: it costs.
  return value === undefined || !(key in Object.prototype) || Object.hasOwn(object, key) ? value : undefined;
}

/**
 * Takes a field that {@link lookUp} found out of the body, so that only what no column took is left; parents that hold
 * nothing else go with it. Fields are set to undefined rather than deleted, which would slow every later access.
 */
export function takeOut(path: FieldPath, body: JsonObject): void {
  if (path.from !== 'body') return;
  const { segments } = path;
  if (segments.length === 1) {
    if (Object.hasOwn(body, segments[0]!)) body[segments[0]!] = undefined;
    return;
  }
  const parents = [body];
  for (let depth = 1; depth < segments.length; depth++) {
    const parent = own(parents[depth - 1]!, segments[depth - 1]!);
    if (!isObject(parent)) return;
    parents.push(parent);
  }
  for (let depth = segments.length - 1; depth >= 0; depth--) {
    const parent = parents[depth]!;
    if (Object.hasOwn(parent, segments[depth]!)) parent[segments[depth]!] = undefined;
    if (!isEmptied(parent)) return;
  }
}

function isEmptied(object: JsonObject): boolean {
  for (const key in object) if (object[key] !== undefined) return false;
  return true;
}

import { INFINITE, inspect, MAX_DEPTH, type TOO_DEEP, type JsonObject } from './json.ts';

/** Where metadata comes from; earlier parts keep their keys when two clash. */
export interface MetadataPart {
  readonly object: JsonObject;
  /** Put before a key that an earlier part has already: `metadata.` makes `metadata.source` of `source`. */
  readonly prefix: string;
  /** Whether every key gets the prefix, and null values are left out. */
  readonly always?: boolean;
}

/**
 * All entries of the parts as flat [key, value, key, value …], null when there are none. Strings stay as they are; other
 * values are their JSON text, objects and arrays compact. Keys are unique: one that clashes gets its part's prefix, and
 * `#2`, `#3` … when that is taken as well. Undefined values were taken by a column and are left out.
 * Instead of entries: TOO_DEEP when a value is nested deeper than MAX_DEPTH, INFINITE when a number is out of range.
 */
export function collectMetadata(
  parts: readonly MetadataPart[],
): string[] | null | typeof TOO_DEEP | typeof INFINITE {
  let entries: string[] | null = null;
  for (const { object, prefix, always = false } of parts) {
    // Keys of one object differ, so only those of a later part can clash.
    const taken: Set<string> | null = entries === null ? null : keysOf(entries);
    for (const key in object) {
      const value = object[key];
      if (value === undefined || (always && value === null)) continue;
      const text = typeof value === 'string' ? value : jsonText(value);
      if (typeof text === 'symbol') return text;
      let name = always ? prefix + key : key;
      if (taken !== null) {
        if (taken.has(name)) name = firstFree(prefix + key, taken);
        taken.add(name);
      }
      if (entries === null) entries = [name, text];
      else entries.push(name, text);
    }
  }
  return entries;
}

function keysOf(entries: readonly string[]): Set<string> {
  const keys = new Set<string>();
  for (let at = 0; at < entries.length; at += 2) keys.add(entries[at]!);
  return keys;
}

function firstFree(wanted: string, taken: ReadonlySet<string>): string {
  let name = wanted;
  for (let copy = 2; taken.has(name); copy++) name = `${wanted}#${copy}`;
  return name;
}

function jsonText(value: unknown): string | typeof TOO_DEEP | typeof INFINITE {
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : INFINITE;
  return (typeof value === 'object' ? inspect(value, MAX_DEPTH) : null) ?? JSON.stringify(value);
}

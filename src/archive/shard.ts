import { createHash } from 'node:crypto';
import type { PartitionKey } from './config.ts';

/** Value of a hive path that stands for "none": readers give null back. */
export const HIVE_NULL = '__HIVE_DEFAULT_PARTITION__';

/** Longest encoded value: a file name may have 255 bytes, `customer=` takes nine. */
const MAX_VALUE = 200;
const MICROS_PER_HOUR = 3_600_000_000;
const FIRST_HOUR = new Date(0).setUTCFullYear(1, 0, 1) / 3_600_000;
const END_HOUR = new Date(0).setUTCFullYear(10_000, 0, 1) / 3_600_000;

/** What decides in which file a row belongs, as far as the path names it; '' for what it does not name. */
export interface ShardKey {
  /** Raw customer id, as the message gave it. */
  readonly customer: string;
  /** `YYYY-MM-DD`, or `YYYY-MM-DD/HH`, UTC; `HIVE_NULL` for times outside the years 1 to 9999. */
  readonly day: string;
}

/**
 * Whole UTC hours since 1970 of an event time in microseconds, or -Infinity when no calendar that readers share has it
 * (before the year 1, after 9999, NaN).
 */
export function hourOf(createdAt: number): number {
  const hour = Math.floor(createdAt / MICROS_PER_HOUR);
  return hour >= FIRST_HOUR && hour < END_HOUR ? hour : -Infinity;
}

/** The `day` of a {@link ShardKey} from {@link hourOf}'s answer: with the hour when the path names it. */
export function dayOf(hour: number, partitionBy: readonly PartitionKey[]): string {
  if (!partitionBy.includes('day')) return '';
  if (hour === -Infinity) return HIVE_NULL;
  const iso = new Date(hour * 3_600_000).toISOString();
  return partitionBy.includes('hour') ? `${iso.slice(0, 10)}/${iso.slice(11, 13)}` : iso.slice(0, 10);
}

/**
 * The directory of a shard below the store's root: `customer=<encoded>/dt=YYYY-MM-DD/`, in the order of `partitionBy`;
 * '' when it is empty. Different keys have different paths, whatever a message named as its customer: no segment is
 * empty, `.` or `..`, none holds a separator, and none is longer than 255 bytes.
 */
export function shardPath({ customer, day }: ShardKey, partitionBy: readonly PartitionKey[]): string {
  let path = '';
  for (const key of partitionBy) {
    switch (key) {
      case 'customer':
        path += `customer=${encodeValue(customer)}/`;
        break;
      case 'day':
        path += `dt=${day === HIVE_NULL ? HIVE_NULL : day.slice(0, 10)}/`;
        break;
      case 'hour':
        path += `hour=${day === HIVE_NULL ? HIVE_NULL : day.slice(11, 13)}/`;
        break;
    }
  }
  return path;
}

/**
 * A value for a hive path segment. Letters, digits, `-`, `_` and inner dots stay; every other byte of its UTF-8 is
 * percent-encoded, which DuckDB and pyarrow decode. An id that is too long, is not well-formed Unicode, or means null to
 * readers becomes a prefix, a raw `~` (which the plain form never has) and a hash: such a path does not give the id back,
 * but the file's column does.
 */
export function encodeValue(value: string): string {
  if (value.length <= MAX_VALUE && value.isWellFormed() && value !== HIVE_NULL) {
    const encoded = percentEncode(value);
    if (encoded.length <= MAX_VALUE) return encoded;
  }
  const prefix = percentEncode(value.slice(0, 64).toWellFormed()).slice(0, 64).replace(/%.?$/, '');
  // Over UTF-16 code units: UTF-8 would make all lone surrogates the same.
  return `${prefix}~${createHash('sha256').update(value, 'utf16le').digest('hex').slice(0, 40)}`;
}

function percentEncode(value: string): string {
  if (/^[A-Za-z0-9_-]+$/.test(value)) return value;
  return encodeURIComponent(value)
    .replace(/[!'()*~]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
    .replace(/^\.+|\.+$/g, (dots) => '%2E'.repeat(dots.length)); // Windows drops dots at the end of a name.
}

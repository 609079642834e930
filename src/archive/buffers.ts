import type { DeadLetter, ScoredBatch, SettledRange, TableName } from '../types.ts';
import type { PartitionKey } from './config.ts';
import { shardPath } from './shard.ts';
import { TABLES } from './tables.ts';

/** Largest piece that a shard's buffer grows by. */
const MAX_CHUNK = 4 * 1024 * 1024;

/** The rows of one file to be: slices of one shard laid end to end in chunks. */
export interface ShardBuffer {
  readonly table: TableName;
  /** Directory below the store's root, '' or ending in `/`. */
  readonly path: string;
  /** The customer of all rows; undefined when the path does not name it. */
  readonly customer: string | undefined;
  readonly chunks: Uint8Array<ArrayBuffer>[];
  readonly rows: number;
  /** Bytes of slices. */
  readonly bytes: number;
}

/** Buffers that were closed for writing. */
export interface SealedBuffers {
  readonly files: readonly ShardBuffer[];
  /** What sinks refused included, which settles no offset. */
  readonly deadLetters: readonly DeadLetter[];
  readonly partitions: readonly SettledRange[];
  /** Memory held. */
  readonly bytes: number;
}

interface Growing {
  table: TableName;
  path: string;
  customer: string | undefined;
  chunks: Uint8Array<ArrayBuffer>[];
  /** Bytes used of the last chunk. */
  used: number;
  rows: number;
  bytes: number;
}

/** Rows per shard that no flush has taken yet, and the offsets that they settle. */
export interface Buffers {
  /** Copies a batch's slices. Throws when the batch does not begin where the one before it in its partition ended. */
  add(batch: ScoredBatch, now: number): void;
  /** Takes everything out; what is added next begins where this ended. */
  seal(): SealedBuffers;
  readonly bytes: number;
  readonly rows: number;
  /** When the oldest batch was added, milliseconds; undefined when nothing is settled since the last seal. */
  readonly since: number | undefined;
}

/** Empty buffers; `fileBytes` is where a shard's file ends and its next one begins. */
export function createBuffers(options: {
  readonly partitionBy: readonly PartitionKey[];
  readonly fileBytes: number;
}): Buffers {
  const { partitionBy, fileBytes } = options;
  let open = new Map<string, Growing>();
  let full: Growing[] = [];
  let deadLetters: DeadLetter[] = [];
  let ranges = new Map<string, SettledRange>();
  let bytes = 0;
  let rows = 0;
  let since: number | undefined;
  const ends = new Map<string, number>();
  const paths = new Map<string, string>();

  /** Paths by key: the encoding is not worth doing for each slice. */
  function pathOf(table: TableName, customer: string, day: string): string {
    const key = `${table}\n${day}\n${customer}`;
    let path = paths.get(key);
    if (path === undefined) {
      if (paths.size > 20_000) paths.clear();
      paths.set(key, (path = TABLES[table].folder + shardPath({ customer, day }, partitionBy)));
    }
    return path;
  }

  function append(shard: Growing, slice: Uint8Array): void {
    const last = shard.chunks.at(-1);
    if (last && last.length - shard.used >= slice.length) {
      last.set(slice, shard.used);
      shard.used += slice.length;
    } else {
      if (last) trim(shard);
      // Doubling by pieces: nothing is copied again, and a small shard wastes little.
      const chunk = new Uint8Array(Math.max(slice.length, Math.min(shard.bytes, MAX_CHUNK)));
      bytes += chunk.length;
      chunk.set(slice);
      shard.chunks.push(chunk);
      shard.used = slice.length;
    }
    shard.bytes += slice.length;
  }

  function trim(shard: Growing): void {
    const last = shard.chunks.at(-1)!;
    shard.chunks[shard.chunks.length - 1] = last.subarray(0, shard.used);
  }

  return {
    get bytes() {
      return bytes;
    },
    get rows() {
      return rows;
    },
    get since() {
      return since;
    },
    add(batch, now) {
      const { topic, partition, first, next } = batch;
      const name = `${partition}\n${topic}`;
      const end = ends.get(name);
      if (next < first || (end !== undefined && first !== end)) {
        throw new Error(
          `expected a batch of ${topic}-${partition} that begins at offset ${end ?? first}, got one of ${first} to ${next}`,
        );
      }
      for (const { table, customer, day, rows: count, start, end: stop } of batch.shards) {
        const path = pathOf(table, customer, day);
        const named = partitionBy.includes('customer') ? customer : undefined;
        let shard = open.get(path);
        if (shard && shard.bytes + (stop - start) > fileBytes) {
          trim(shard);
          full.push(shard);
          shard = undefined;
        }
        if (!shard)
          open.set(path, (shard = { table, path, customer: named, chunks: [], used: 0, rows: 0, bytes: 0 }));
        append(shard, batch.arena.subarray(start, stop));
        shard.rows += count;
      }
      for (const letter of [...batch.deadLetters, ...(batch.refusals ?? [])]) {
        // A view would keep the whole batch in memory.
        const own =
          letter.bytes.length < letter.bytes.buffer.byteLength ? letter.bytes.slice() : letter.bytes;
        deadLetters.push({ ...letter, bytes: own });
        bytes += own.length + (letter.key?.length ?? 0) + 512;
        for (const value of Object.values(letter.headers ?? {})) bytes += value.length + 64;
      }
      const skipped = Object.values(batch.skipped).reduce((sum, count) => sum + count, 0);
      const range = ranges.get(name);
      ranges.set(name, {
        topic,
        partition,
        from: range?.from ?? first,
        to: next,
        rows: (range?.rows ?? 0) + batch.rows,
        deadLetters: (range?.deadLetters ?? 0) + batch.deadLetters.length,
        skipped: (range?.skipped ?? 0) + skipped,
        absent: (range?.absent ?? 0) + next - first - batch.rows - batch.deadLetters.length - skipped,
      });
      ends.set(name, next);
      rows += batch.rows;
      since ??= now;
    },
    seal() {
      const files = [...full, ...open.values()];
      for (const shard of open.values()) trim(shard);
      const sealed = { files, deadLetters, partitions: [...ranges.values()], bytes };
      open = new Map();
      full = [];
      deadLetters = [];
      ranges = new Map();
      bytes = 0;
      rows = 0;
      since = undefined;
      return sealed;
    },
  };
}

import { Buffer } from 'node:buffer';
import type { HeaderSlices, Partition, RawBatch, Slices } from '../types.ts';

/** Limits of {@link createRecordBatches}; see the source's configuration. */
export interface RecordLimits {
  readonly batchMessages: number;
  readonly batchBytes: number;
}

/** A message as Kafka keeps it. The bytes are copied. */
export interface KafkaRecord {
  readonly offset: number;
  /** Milliseconds UTC; negative where there is none. */
  readonly timestamp: number;
  readonly key: Uint8Array | null;
  /** Null: a tombstone. */
  readonly value: Uint8Array | null;
  /** In their order, names may repeat; null where there are none. */
  readonly headers: readonly KafkaHeader[] | null;
}

/** A message as it lies in the bytes of a record batch; an end before its start is null. */
export interface PlacedRecord {
  offset: number;
  /** Milliseconds UTC; negative where there is none. */
  timestamp: number;
  keyStart: number;
  keyEnd: number;
  valueStart: number;
  valueEnd: number;
  headers: readonly KafkaHeader[] | null;
}

/** A header of a message. */
export interface KafkaHeader {
  readonly name: string;
  readonly value: Uint8Array;
}

/** Gathers records of one partition into batches. */
export interface RecordBatches {
  /** Adds a record; returns the batch before it when there is no room for one more. */
  add(record: KafkaRecord): RawBatch | undefined;
  /** The same for a message that lies in `source`. */
  addPlaced(source: Uint8Array, record: PlacedRecord): RawBatch | undefined;
  /** What is gathered, as a batch up to `next`; it has no rows when nothing was, and is undefined when `next` settles nothing either. */
  take(next: number): RawBatch | undefined;
}

/** Bytes that the first batch begins with; it grows by doubling. */
const FIRST_BYTES = 65_536;
const SHORT = 32;

/** Makes the gatherer for records that were fetched from offset `first` on. */
export function createRecordBatches(
  { topic, partition }: Partition,
  { batchMessages, batchBytes }: RecordLimits,
  first: number,
): RecordBatches {
  // Columns that are written over by the next batch; the batches have copies.
  const starts = new Uint32Array(batchMessages);
  const ends = new Uint32Array(batchMessages);
  const keyStarts = new Uint32Array(batchMessages);
  const keyEnds = new Uint32Array(batchMessages);
  const offsets = new Float64Array(batchMessages);
  const timestamps = new Float64Array(batchMessages);
  const headers = createHeaders();
  let begin = first;
  let rows = 0;
  let bytes = Buffer.alloc(0);
  let size = 0;
  /** Bytes that the next batch begins with: about those of the last one. */
  let expected = FIRST_BYTES;
  let hasKeys = false;
  let nulls: Uint8Array<ArrayBuffer> | undefined;

  function write(source: Uint8Array, start: number, end: number): void {
    const length = end - start;
    if (size + length > bytes.length) {
      const capacity = Math.max(size + length, bytes.length * 2, expected);
      // Moved, so that the smaller one is given back at once.
      bytes = Buffer.from(bytes.buffer.transfer(capacity));
    }
    // Below this the call into native code costs more than the bytes.
    if (length > SHORT) bytes.set(source.subarray(start, end), size);
    else for (let i = 0; i < length; i++) bytes[size + i] = source[start + i]!;
    size += length;
  }

  function take(next: number): RawBatch | undefined {
    if (next <= begin && rows === 0) return undefined;
    const ofHeaders = headers.take(rows);
    const batch: RawBatch = {
      topic,
      partition,
      rows,
      // In memory of exactly its size, as it is accounted for.
      bytes: new Uint8Array(bytes.buffer.transfer(size)),
      starts: starts.slice(0, rows),
      ends: ends.slice(0, rows),
      offsets: offsets.slice(0, rows),
      timestamps: timestamps.slice(0, rows),
      receivedAt: Date.now(),
      first: begin,
      next,
      ...(hasKeys ? { keys: { starts: keyStarts.slice(0, rows), ends: keyEnds.slice(0, rows) } } : {}),
      ...(ofHeaders ? { headers: ofHeaders } : {}),
      ...(nulls ? { nulls: nulls.slice(0, rows) } : {}),
    };
    expected = Math.max(FIRST_BYTES, Math.ceil(size * 1.1));
    begin = next;
    rows = 0;
    bytes = Buffer.alloc(0);
    size = 0;
    hasKeys = false;
    nulls = undefined;
    return batch;
  }

  /** Begins a row with its value. */
  function begun(offset: number, timestamp: number, source: Uint8Array | null, start: number, end: number) {
    const isFull = rows >= batchMessages || (rows > 0 && size + end - start > batchBytes);
    const full = isFull ? take(offset) : undefined;
    starts[rows] = size;
    if (source !== null) write(source, start, end);
    else (nulls ??= new Uint8Array(batchMessages))[rows] = 1;
    ends[rows] = size;
    offsets[rows] = offset;
    timestamps[rows] = timestamp < 0 ? NaN : timestamp;
    return full;
  }

  function writeKey(source: Uint8Array | null, start: number, end: number): void {
    if (source === null) {
      // Beside its own message, so that it stays what it is when the batch is cut.
      keyStarts[rows] = size + 1;
      keyEnds[rows] = size;
      return;
    }
    hasKeys = true;
    keyStarts[rows] = size;
    write(source, start, end);
    keyEnds[rows] = size;
  }

  function finish(own: readonly KafkaHeader[] | null): void {
    if (own !== null) {
      for (const { name, value } of own) {
        headers.add(rows, name, size, size + value.length);
        write(value, 0, value.length);
      }
    }
    rows++;
  }

  return {
    add({ offset, timestamp, key, value, headers: own }) {
      const full = begun(offset, timestamp, value, 0, value?.length ?? 0);
      writeKey(key, 0, key?.length ?? 0);
      finish(own);
      return full;
    },
    addPlaced(source, { offset, timestamp, keyStart, keyEnd, valueStart, valueEnd, headers: own }) {
      const isNull = valueEnd < valueStart;
      const full = begun(
        offset,
        timestamp,
        isNull ? null : source,
        valueStart,
        Math.max(valueStart, valueEnd),
      );
      writeKey(keyEnd < keyStart ? null : source, keyStart, keyEnd);
      finish(own);
      return full;
    },
    take,
  };
}

/** Gathers the places of headers; their values are written by the caller. */
function createHeaders() {
  let numbers = new Map<string, number>();
  let rowsOf: number[] = [];
  let names: number[] = [];
  let starts: number[] = [];
  let ends: number[] = [];
  return {
    add(row: number, name: string, start: number, end: number): void {
      let number = numbers.get(name);
      if (number === undefined) numbers.set(name, (number = numbers.size));
      rowsOf.push(row);
      names.push(number);
      starts.push(start);
      ends.push(end);
    },
    take(rows: number): HeaderSlices | undefined {
      if (rowsOf.length === 0) return undefined;
      const first = new Uint32Array(rows + 1);
      for (const row of rowsOf) first[row + 1]!++;
      for (let row = 0; row < rows; row++) first[row + 1]! += first[row]!;
      const slices: Slices = { starts: Uint32Array.from(starts), ends: Uint32Array.from(ends) };
      const headers = { names: [...numbers.keys()], name: Uint32Array.from(names), first, ...slices };
      numbers = new Map();
      rowsOf = [];
      names = [];
      starts = [];
      ends = [];
      return headers;
    },
  };
}

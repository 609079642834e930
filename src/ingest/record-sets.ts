import { Buffer } from 'node:buffer';
import { InputError, messageOf } from '../errors.ts';
import { CODECS } from '../kafka-codecs.ts';
import type { KafkaHeader, PlacedRecord } from './record-batches.ts';

/** A transaction that was aborted, as a Fetch response lists it. */
export interface AbortedTransaction {
  readonly producerId: bigint;
  readonly firstOffset: number;
}

/** The records of one record batch that a read_committed consumer may see. */
export interface VisibleRecords {
  /** What {@link PlacedRecord}s lie in; gone when the next ones are asked for. */
  readonly bytes: Buffer;
  /** The same object each time, filled anew. */
  readonly records: Generator<PlacedRecord>;
  /** Offset after the record batch: compaction may have removed its last records, so they do not tell. */
  readonly next: number;
}

const NOTHING = Buffer.alloc(0);
const HEADER_BYTES = 61;
const TRANSACTIONAL = 0x10;
const CONTROL = 0x20;
const LOG_APPEND_TIME = 0x08;
const CODEC_MASK = 0x07;

/**
 * Record batches of a Fetch response, one after the other, each decompressed when its turn comes (format: Kafka protocol,
 * "Record Batch", magic 2; aborted transactions: KIP-98). Control records, records of aborted transactions and those before
 * offset `from` are left out. The last batch may be cut off by the fetch's limit; it is left for the next fetch.
 * Throws InputError for what cannot be read.
 */
export async function* readRecordSet(
  set: Buffer,
  from: number,
  aborted: readonly AbortedTransaction[],
): AsyncGenerator<VisibleRecords> {
  const pending = aborted.toSorted((a, b) => a.firstOffset - b.firstOffset);
  const open = new Set<bigint>();
  for (let at = 0; at + HEADER_BYTES <= set.length;) {
    const end = at + 12 + set.readInt32BE(at + 8);
    if (end > set.length) return;
    const baseOffset = Number(set.readBigInt64BE(at));
    if (end < at + HEADER_BYTES)
      throw new InputError(`offset ${baseOffset}: damaged records: a length of ${end - at - 12}`);
    const magic = set.readInt8(at + 16);
    if (magic !== 2) {
      throw new InputError(
        `offset ${baseOffset}: expected record format 2, got ${magic}: written by or for Kafka before 0.11; ` +
          'start behind it (source.start), or rewrite the topic with a newer client',
      );
    }
    const attributes = set.readInt16BE(at + 21);
    const lastOffset = baseOffset + set.readInt32BE(at + 23);
    const producerId = set.readBigInt64BE(at + 43);
    while (pending.length > 0 && pending[0]!.firstOffset <= lastOffset) open.add(pending.shift()!.producerId);
    const isControl = (attributes & CONTROL) !== 0;
    const isAborted = (attributes & TRANSACTIONAL) !== 0 && open.has(producerId);
    // A control batch has one record, the end of its producer's transaction.
    if (isControl) open.delete(producerId);
    const isVisible = !isControl && !isAborted && lastOffset >= from;
    const bytes = isVisible
      ? await decompress(set.subarray(at + HEADER_BYTES, end), attributes, baseOffset)
      : NOTHING;
    yield {
      next: lastOffset + 1,
      bytes,
      records: isVisible
        ? readRecords(bytes, {
            count: set.readInt32BE(at + 57),
            from,
            baseOffset,
            baseTimestamp: Number(set.readBigInt64BE(at + 27)),
            appendTime: (attributes & LOG_APPEND_TIME) === 0 ? null : Number(set.readBigInt64BE(at + 35)),
          })
        : noRecords(),
    };
    // Megabytes that the collector would not hurry to find.
    if (isVisible) CODECS.get(attributes & CODEC_MASK)?.release?.(bytes);
    at = end;
  }
}

async function decompress(bytes: Buffer, attributes: number, offset: number): Promise<Buffer> {
  const number = attributes & CODEC_MASK;
  if (number === 0) return bytes;
  const codec = CODECS.get(number);
  if (!codec) throw new InputError(`offset ${offset}: expected a known compression, got number ${number}`);
  try {
    return await codec.decompress(bytes);
  } catch (error) {
    throw new InputError(`offset ${offset}: damaged compressed records: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

interface RecordContext {
  readonly count: number;
  readonly from: number;
  readonly baseOffset: number;
  readonly baseTimestamp: number;
  readonly appendTime: number | null;
}

function* noRecords(): Generator<PlacedRecord> {
  // Nothing of the batch may be seen.
}

function* readRecords(bytes: Buffer, context: RecordContext): Generator<PlacedRecord> {
  const { baseOffset, baseTimestamp, appendTime } = context;
  let at = 0;

  /** A zigzag-encoded integer of up to 64 bits (Protocol Buffers' sint64). */
  function varint(): number {
    const first = bytes[at]!;
    // Nearly all are small.
    if (first < 0x80) {
      at++;
      return (first >>> 1) ^ -(first & 1);
    }
    const second = bytes[at + 1]!;
    if (second < 0x80) {
      at += 2;
      const value = (first & 0x7f) | (second << 7);
      return (value >>> 1) ^ -(value & 1);
    }
    return longVarint();
  }

  /** By arithmetic, since shifts have 32 bits. */
  function longVarint(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = bytes[at++];
      if (byte === undefined) throw new InputError(`offset ${baseOffset}: damaged records: cut off`);
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) break;
      scale *= 128;
    }
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  function part(): Buffer | null {
    const length = varint();
    if (length < 0) return null;
    at += length;
    return bytes.subarray(at - length, at);
  }

  const record: PlacedRecord = {
    offset: 0,
    timestamp: 0,
    keyStart: 0,
    keyEnd: 0,
    valueStart: 0,
    valueEnd: 0,
    headers: null,
  };
  for (let index = 0; index < context.count; index++) {
    const length = varint();
    const end = at + length;
    if (!(end <= bytes.length)) throw new InputError(`offset ${baseOffset}: damaged records: cut off`);
    at++;
    record.timestamp = appendTime ?? baseTimestamp + varint();
    if (appendTime !== null) varint();
    record.offset = baseOffset + varint();
    let size = varint();
    record.keyStart = at;
    record.keyEnd = at + size;
    if (size > 0) at += size;
    size = varint();
    record.valueStart = at;
    record.valueEnd = at + size;
    if (size > 0) at += size;
    let headers: KafkaHeader[] | null = null;
    for (let left = varint(); left > 0; left--) {
      const name = part()?.toString() ?? '';
      (headers ??= []).push({ name, value: part() ?? NOTHING });
    }
    // Else a length is damaged, and what was read may be anything.
    if (at !== end)
      throw new InputError(`offset ${record.offset}: damaged records: expected byte ${end}, got ${at}`);
    record.headers = headers;
    if (record.offset >= context.from) yield record;
  }
}

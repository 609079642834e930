import * as fc from 'fast-check';
import { createRequire } from 'node:module';
import { zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../src/errors.ts';
import {
  createRecordBatches,
  type KafkaRecord,
  type PlacedRecord,
  type RecordBatches,
} from '../../src/ingest/record-batches.ts';
import { readRecordSet, type AbortedTransaction } from '../../src/ingest/record-sets.ts';
import { registerCodecs } from '../../src/kafka-codecs.ts';
import { headersOf, keyOf, sliceBatch } from '../../src/raw-batch.ts';
import type { RawBatch } from '../../src/types.ts';

// The encoders of kafkajs, which know nothing of ours.
interface Encoded {
  readonly buffer: Buffer;
}
const require = createRequire(import.meta.url);
const { RecordBatch } = require('kafkajs/src/protocol/recordBatch/v0') as {
  RecordBatch: (batch: object) => Promise<Encoded>;
};
const Record = require('kafkajs/src/protocol/recordBatch/record/v0') as (record: object) => Encoded;
registerCodecs();

interface Message {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, Buffer>>;
  readonly age: number;
  /** Offsets that compaction removed before it. */
  readonly gap: number;
}

const TIME = Date.UTC(2026, 2, 1);
const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array));
const name = fc.string({ unit: 'grapheme', maxLength: 5 });
const message: fc.Arbitrary<Message> = fc.record({
  key: fc.option(bytes),
  value: fc.option(bytes),
  headers: fc.dictionary(name, bytes, { maxKeys: 3, noNullPrototype: true }),
  age: fc.integer({ min: -5_000_000_000, max: 5_000_000_000 }),
  gap: fc.integer({ min: 0, max: 3 }),
});
const batch = fc.record({
  messages: fc.array(message, { minLength: 1, maxLength: 20 }),
  compression: fc.integer({ min: 0, max: 4 }),
  tail: fc.integer({ min: 0, max: 3 }),
});

type Expected = Omit<Message, 'gap' | 'age'> & { readonly offset: number; readonly timestamp: number };

async function encode(batches: readonly (typeof batch extends fc.Arbitrary<infer Value> ? Value : never)[]) {
  const parts: Buffer[] = [];
  const expected: Expected[] = [];
  let next = 0;
  for (const { messages, compression, tail } of batches) {
    const firstOffset = next;
    const records = messages.map(({ gap, age, ...rest }) => {
      next += gap;
      expected.push({ ...rest, offset: next, timestamp: TIME + age });
      return Record({ ...rest, offsetDelta: next++ - firstOffset, timestampDelta: age });
    });
    next += tail;
    const encoder = await RecordBatch({
      compression,
      firstOffset,
      firstTimestamp: TIME,
      maxTimestamp: TIME,
      lastOffsetDelta: next - 1 - firstOffset,
      records,
    });
    parts.push(encoder.buffer);
  }
  return { set: Buffer.concat(parts), expected, next };
}

async function read(
  set: Buffer,
  from = 0,
  aborted: readonly AbortedTransaction[] = [],
  placed?: (source: Buffer, record: PlacedRecord) => void,
) {
  const records: KafkaRecord[] = [];
  let next = from;
  for await (const visible of readRecordSet(set, from, aborted)) {
    for (const record of visible.records) {
      const { offset, timestamp, keyStart, keyEnd, valueStart, valueEnd, headers } = record;
      const part = (start: number, end: number) =>
        end < start ? null : Buffer.from(visible.bytes.subarray(start, end));
      const [key, value] = [part(keyStart, keyEnd), part(valueStart, valueEnd)];
      records.push({ offset, timestamp, key, value, headers });
      placed?.(visible.bytes, record);
    }
    ({ next } = visible);
  }
  return { records, next };
}

function rowsOf(batches: readonly RawBatch[]) {
  return batches.flatMap((each) =>
    Array.from({ length: each.rows }, (_, row) => ({
      offset: each.offsets[row],
      timestamp: each.timestamps[row],
      value: each.nulls?.[row] ? null : Buffer.from(each.bytes.subarray(each.starts[row], each.ends[row])),
      key: bufferOf(keyOf(each, row)),
      headers: Object.fromEntries(
        Object.entries(headersOf(each, row) ?? {}).map(([header, value]) => [header, bufferOf(value)]),
      ),
    })),
  );
}

const bufferOf = (part: Uint8Array | null) => part && Buffer.from(part);

describe('readRecordSet and createRecordBatches', () => {
  it('read what another client wrote: every codec, gaps, keys, headers, times', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(batch, { maxLength: 4 }),
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 400 }),
        async (given, batchMessages, batchBytes) => {
          const { set, expected, next } = await encode(given);
          const gatherers = [1, 2].map(() =>
            createRecordBatches({ topic: 't', partition: 1 }, { batchMessages, batchBytes }, 0),
          );
          const [gatherer, other] = gatherers as [RecordBatches, RecordBatches];
          const copies: RawBatch[] = [];
          const { records, next: found } = await read(set, 0, [], (source, record) => {
            copies.push(...[other.addPlaced(source, record) ?? []].flat());
          });
          expect(found).toBe(next);
          const batches = records.flatMap((record) => gatherer.add(record) ?? []);
          batches.push(...[gatherer.take(next) ?? []].flat());
          copies.push(...[other.take(next) ?? []].flat());
          const withoutClock = (each: RawBatch) => ({ ...each, receivedAt: 0 });
          expect(copies.map(withoutClock)).toEqual(batches.map(withoutClock));
          expect(rowsOf(batches)).toEqual(expected);
          let begin = 0;
          for (const each of batches) {
            expect([each.first, each.bytes.byteLength]).toEqual([begin, each.bytes.buffer.byteLength]);
            expect(each.rows).toBeLessThanOrEqual(batchMessages);
            begin = each.next;
          }
          expect(begin).toBe(next);
          const parts = batches.flatMap((each) => {
            const middle = each.rows >> 1;
            return [sliceBatch(each, 0, middle), sliceBatch(each, middle, each.rows)];
          });
          expect(rowsOf(parts)).toEqual(expected);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('begin at the offset asked for, and leave a batch that was cut off', async () => {
    const plain = { key: null, headers: {}, age: 0, gap: 0 };
    const messages = [1, 2, 3].map((at) => ({ ...plain, value: Buffer.from(`${at}`) }));
    const { set } = await encode([
      { messages, compression: 1, tail: 0 },
      { messages, compression: 0, tail: 0 },
    ]);
    expect((await read(set, 2)).records.map(({ offset }) => offset)).toEqual([2, 3, 4, 5]);
    const cut = await read(set.subarray(0, set.length - 1), 1);
    expect([cut.records.map(({ offset }) => offset), cut.next]).toEqual([[1, 2], 3]);
    expect((await read(set.subarray(0, 20))).records).toEqual([]);
  });

  it('say where damage is', async () => {
    const plain = { key: null, headers: {}, age: 0, gap: 0, value: Buffer.from('x'.repeat(100)) };
    const { set } = await encode([{ messages: [plain], compression: 1, tail: 0 }]);
    const unknown = Buffer.from(set);
    unknown.writeInt16BE(7, 21);
    await expect(read(unknown)).rejects.toThrow(/^offset 0: expected a known compression, got number 7$/);
    const damaged = Buffer.from(set);
    damaged.fill(0xff, 70);
    const failure: unknown = await read(damaged).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(InputError);
    expect(String(failure)).toMatch(/offset 0: damaged compressed records/);
    const old = Buffer.from(set);
    old.writeInt8(1, 16);
    await expect(read(old)).rejects.toThrow(/expected record format 2, got 1/);
  });

  it('read every frame of a batch that was compressed in several', async () => {
    const texts = ['x'.repeat(100), 'y'.repeat(100_000)];
    const plain = { key: null, headers: {}, age: 0, gap: 0 };
    const messages = texts.map((text) => ({ ...plain, value: Buffer.from(text) }));
    const { set } = await encode([{ messages, compression: 0, tail: 0 }]);
    const [header, records] = [Buffer.from(set.subarray(0, 61)), set.subarray(61)];
    for (const cut of [1, 50, 200]) {
      const frames = [records.subarray(0, cut), records.subarray(cut)].map((part) => zstdCompressSync(part));
      const framed = Buffer.concat([header, ...frames]);
      framed.writeInt32BE(framed.length - 12, 8);
      framed.writeInt16BE(4, 21);
      expect((await read(framed)).records.map(({ value }) => String(value))).toEqual(texts);
    }
  });

  it('refuse lengths that do not fit, and never read the same bytes twice', async () => {
    const plain = { key: null, headers: {}, age: 0, gap: 0, value: Buffer.from('x'.repeat(10)) };
    const { set } = await encode([{ messages: [plain, plain], compression: 0, tail: 0 }]);
    const withByte = (at: number, value: number) => {
      const damaged = Buffer.from(set);
      damaged[at] = value;
      return read(damaged);
    };
    // Of the record: shorter than it is, negative; of its value: longer than the record, and than all bytes.
    for (const [at, value] of [
      [61, 20],
      [61, 1],
      [66, 24],
      [66, 126],
    ] as const)
      await expect(withByte(at, value), `${at}`).rejects.toThrow(/^offset 0: damaged records/);
    const still = Buffer.from(set);
    still.writeInt32BE(-12, 8);
    await expect(read(still)).rejects.toThrow(/^offset 0: damaged records: a length of -12$/);
  });
});

import * as fc from 'fast-check';
import { deltaBinaryUnpack } from 'hyparquet/src/delta.js';
import { readRleBitPackedHybrid } from 'hyparquet/src/encoding.js';
import { describe, expect, it } from 'vitest';
import { bitWidth, writeHybrid, writeRun } from '../../../src/archive/parquet/bits.ts';
import { DELTA_LIMIT, writeDelta } from '../../../src/archive/parquet/delta.ts';
import { GrowingBytes } from '../../../src/archive/parquet/growing-bytes.ts';
import { idValues } from '../../../src/archive/parquet/ids.ts';
import { findDistinct } from '../../../src/archive/parquet/text-dictionary.ts';
import { floatValues, growingValues, textValues } from '../../../src/archive/parquet/values.ts';

const readerOf = (bytes: Uint8Array) => ({
  view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
  offset: 0,
});

/** Runs and changes of values below 2^width, as levels and indices are; hyparquet misreads more than 24 bits. */
const hybridInput = fc.integer({ min: 0, max: 24 }).chain((width) =>
  fc
    .array(
      fc.record({
        value: fc.integer({ min: 0, max: 2 ** width - 1 }),
        count: fc.oneof(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 7, max: 200 })),
      }),
      { maxLength: 40 },
    )
    .map((runs) => ({
      width,
      values: Int32Array.from(runs.flatMap(({ value, count }) => Array<number>(count).fill(value))),
    })),
);

function textOf(texts: readonly (string | null)[]) {
  const encoded = texts.map((text) => (text === null ? null : Buffer.from(text)));
  const starts = new Int32Array(texts.length + 1);
  for (const [i, bytes] of encoded.entries()) starts[i + 1] = starts[i]! + (bytes?.length ?? 0);
  return {
    lengths: Int32Array.from(encoded, (bytes) => bytes?.length ?? -1),
    starts,
    data: new Uint8Array(Buffer.concat(encoded.map((bytes) => bytes ?? Buffer.alloc(0)))),
    nulls: texts.filter((text) => text === null).length,
  };
}

/** PLAIN byte arrays: a length in four bytes, then the bytes. */
function readPlain(bytes: Uint8Array): string[] {
  const found: string[] = [];
  const buffer = Buffer.from(bytes);
  for (let at = 0; at < buffer.length;) {
    const length = buffer.readUInt32LE(at);
    found.push(buffer.toString('utf8', at + 4, at + 4 + length));
    at += 4 + length;
  }
  return found;
}

describe('the RLE and bit-packing hybrid', () => {
  it('is read by hyparquet as it was written', () => {
    fc.assert(
      fc.property(hybridInput, ({ width, values }) => {
        const output = new GrowingBytes(0);
        writeHybrid(output, values, width);
        const found = Array.from(values, () => -1);
        if (values.length > 0)
          readRleBitPackedHybrid(readerOf(output.written()), width, found, output.position);
        expect(found).toEqual([...values]);
      }),
      { numRuns: 300 },
    );
  });

  it('needs a few bytes for a run, however long', () => {
    const output = new GrowingBytes(0);
    writeHybrid(output, new Int32Array(1_000_000).fill(5), 3);
    const run = new GrowingBytes(0);
    writeRun(run, 5, 1_000_000, 3);
    expect([...output.written()]).toEqual([...run.written()]);
    expect(output.position).toBeLessThan(6);
  });

  it('knows the bits of a number', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 53 - 1 }), (value) => {
        expect(bitWidth(value)).toBe(value === 0 ? 0 : value.toString(2).length);
      }),
    );
  });
});

describe('differences in blocks', () => {
  const whole = (most: number) => fc.integer({ min: -most, max: most });
  const numbers = fc.oneof(
    fc.array(whole(DELTA_LIMIT), { maxLength: 400 }),
    fc.array(whole(1000), { maxLength: 400 }),
    fc
      .array(fc.integer({ min: 0, max: 5_000_000 }), { maxLength: 400 })
      .map((steps) => steps.reduce<number[]>((all, step) => [...all, (all.at(-1) ?? 1.7e15) + step], [])),
  );

  it('are read by hyparquet as they were written', () => {
    fc.assert(
      fc.property(numbers, (given) => {
        const output = new GrowingBytes(0);
        writeDelta(output, Float64Array.from(given));
        const found = new BigInt64Array(given.length);
        deltaBinaryUnpack(readerOf(output.written()), given.length, found);
        expect([...found].map(Number)).toEqual(given.map((value) => value + 0));
      }),
      { numRuns: 300 },
    );
  });

  it('give way to PLAIN where they could be inexact', () => {
    const values = growingValues(Float64Array.of(-(2 ** 60), 2 ** 60, 0));
    expect(values.encoding).toBe('PLAIN');
    const output = new GrowingBytes(0);
    values.write(output, 0, 3);
    expect([...new BigInt64Array(output.bytes.slice(0, 24).buffer)]).toEqual([-(2n ** 60n), 2n ** 60n, 0n]);
    expect(values.bounds).toEqual({ min: -(2n ** 60n), max: 2n ** 60n });
  });
});

describe('text', () => {
  const texts = fc.array(fc.oneof(fc.constantFrom('a', 'b', 'ab', ''), fc.string({ unit: 'grapheme' })), {
    maxLength: 300,
  });

  it('by dictionary is the same text, each value once', () => {
    fc.assert(
      fc.property(texts, (given) => {
        const column = textOf(given);
        const found = findDistinct(
          column,
          Int32Array.from(given, (_, i) => i),
        );
        if (!found) return;
        const entries = [...found.firsts].map((item) => given[item]!);
        expect(new Set(entries).size).toBe(entries.length);
        expect([...found.indices].map((index) => entries[index])).toEqual(given);
      }),
      { numRuns: 300 },
    );
  });

  it('without repeats needs no dictionary; with them it does, and is smaller', () => {
    const items = Int32Array.from({ length: 2000 }, (_, i) => i);
    const options = { dictionary: true, statistics: true };
    const unique = textValues(textOf(Array.from(items, (i) => `u${i}`)), items, options);
    expect([unique.encoding, unique.dictionary]).toEqual(['PLAIN', undefined]);
    const few = textValues(textOf(Array.from(items, (i) => `u${i % 700}`)), items, options);
    expect([few.encoding, few.dictionary?.count]).toEqual(['RLE_DICTIONARY', 700]);
    expect(readPlain(few.dictionary!.bytes)).toEqual(Array.from({ length: 700 }, (_, i) => `u${i}`));
    const off = textValues(textOf(Array.from(items, () => 'same')), items, {
      dictionary: false,
      statistics: false,
    });
    expect([off.encoding, off.bounds]).toEqual(['PLAIN', undefined]);
  });

  it('that differs only where no hash looks is given up on, not compared each with each', () => {
    const [head, tail] = ['h'.repeat(100), 't'.repeat(100)];
    const alike = (distinct: number) =>
      textOf(
        Array.from({ length: 2 * distinct }, (_, i) => `${head}${1000 + (i >> 1)}${'-'.repeat(90)}${tail}`),
      );
    const items = (count: number) => Int32Array.from({ length: count }, (_, i) => i);
    expect(findDistinct(alike(50), items(100))?.firsts.length).toBe(50);
    expect(findDistinct(alike(5000), items(10_000))).toBeUndefined();
    // Beginning, middle and end are looked at: addresses are alike at both ends.
    const urls = textOf(
      Array.from(items(10_000), (i) => `https://www.example.com/posts/${i >> 1}/comments?ref=mail`),
    );
    expect(findDistinct(urls, items(10_000))?.firsts.length).toBe(5000);
  });

  it('has bounds in the order of its bytes', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' }), { minLength: 1, maxLength: 50 }), (given) => {
        const items = Int32Array.from(given, (_, i) => i);
        const { bounds } = textValues(textOf(given), items, { dictionary: false, statistics: true });
        const sorted = given.map((text) => Buffer.from(text)).toSorted((a, b) => a.compare(b));
        expect(Buffer.from(bounds!.min as Uint8Array).equals(sorted[0]!)).toBe(true);
        expect(Buffer.from(bounds!.max as Uint8Array).equals(sorted.at(-1)!)).toBe(true);
      }),
    );
  });
});

describe('floats', () => {
  it('have bounds of those that are numbers, and none without one', () => {
    expect(floatValues(Float32Array.of(NaN, 0.5, 0)).bounds).toEqual({ min: -0, max: 0.5 });
    expect(floatValues(Float32Array.of(NaN, NaN)).bounds).toBeUndefined();
    expect(floatValues(new Float32Array(0)).bounds).toBeUndefined();
  });
});

describe('ids', () => {
  it('are the topic, the partition and all digits of the offset', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -(2 ** 53) + 1, max: 2 ** 53 - 1 }), { minLength: 1 }),
        (offsets) => {
          const values = idValues(
            Float64Array.from(offsets),
            Int32Array.from(offsets, (_, i) => i % 2),
            [Buffer.from('posts-0-'), Buffer.from('kommentäre-12-')],
            Int32Array.from(offsets, (_, i) => offsets.length - 1 - i),
          );
          const output = new GrowingBytes(0);
          values.write(output, 0, offsets.length);
          expect(readPlain(output.written())).toEqual(
            offsets.map((offset, i) => `${i % 2 === 0 ? 'posts-0' : 'kommentäre-12'}-${offset}`).toReversed(),
          );
        },
      ),
    );
  });
});

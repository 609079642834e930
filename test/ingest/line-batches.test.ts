import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLineBatches, type LineBatch } from '../../src/ingest/line-batches.ts';

const MiB = 1024 ** 2;
const roomy = { batchMessages: 1024, batchBytes: MiB, maxLineBytes: 64 * MiB };

function values(batches: readonly LineBatch[]): string[] {
  return batches.flatMap(({ rows, bytes, starts, ends }) => {
    expect([starts.length, ends.length]).toEqual([rows, rows]);
    return Array.from(starts, (start, at) => Buffer.from(bytes.subarray(start, ends[at])).toString());
  });
}

/** The same bytes in pieces of the given sizes, over and over. */
function pieces(text: string, sizes: readonly number[]): Buffer[] {
  const bytes = Buffer.from(text);
  const parts: Buffer[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length]!;
    parts.push(Buffer.from(bytes.subarray(at, at + size)));
    at += size;
  }
  return parts;
}

const line = fc.oneof(
  fc.stringMatching(/^[a-zé\r]{0,12}$/),
  fc.constant(''),
  fc.nat({ max: 60 }).map((length) => 'x'.repeat(length)),
);

describe('createLineBatches', () => {
  it('gives every line once, in order, however the chunks fall and whatever the limits are', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 });
    const limits = fc.record({
      batchMessages: fc.integer({ min: 1, max: 5 }),
      batchBytes: fc.integer({ min: 1, max: 50 }),
    });
    fc.assert(
      fc.property(
        ...([
          fc.array(line, { maxLength: 20 }),
          fc.boolean(),
          fc.constantFrom('\n', '\r\n'),
          sizes,
          limits,
          fc.nat(8),
        ] as const),
        (lines, ended, end, chunkSizes, { batchMessages, batchBytes }, skip) => {
          const text = lines.join(end) + (ended ? end : '');
          const cutter = createLineBatches({ batchMessages, batchBytes, maxLineBytes: 1000 }, skip);
          const batches: LineBatch[] = [];
          for (const chunk of pieces(text, chunkSizes)) batches.push(...cutter.push(chunk));
          const complete = cutter.flush(false);
          batches.push(...complete, ...cutter.flush(true));

          const all = text.split('\n');
          if (all.at(-1) === '') all.pop();
          const expected = all.map((each) => each.replace(/\r$/, ''));
          // A last line without newline keeps nothing back: a return at the input's end is a line end as well.
          expect(values(batches)).toEqual(expected.slice(skip));
          expect(cutter.missing()).toBe(Math.max(0, skip - all.length));
          for (const { rows, bytes } of batches) {
            expect(rows).toBeGreaterThan(0);
            expect(rows).toBeLessThanOrEqual(batchMessages);
            // A newline of its own may be over it.
            expect(rows === 1 || bytes.length <= batchBytes + 1).toBe(true);
          }
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('an unfinished line waits for its newline', () => {
    const cutter = createLineBatches(roomy);
    expect(cutter.push(Buffer.from('a\nb'))).toEqual([]);
    expect(values(cutter.flush(false))).toEqual(['a']);
    expect(cutter.flush(false)).toEqual([]);
    cutter.push(Buffer.from('c\n'));
    expect(values(cutter.flush(false))).toEqual(['bc']);
    expect(cutter.flush(true)).toEqual([]);
  });

  it('a line above the limit is cut, its size is told, its neighbours are whole', () => {
    const limits = { ...roomy, maxLineBytes: 10 };
    for (const size of [1, 3, 11, 1000]) {
      const cutter = createLineBatches(limits);
      const text = `0123456789\n${'y'.repeat(35)}\nz\n${'w'.repeat(11)}`;
      const batches = pieces(text, [size]).flatMap((chunk) => cutter.push(chunk));
      batches.push(...cutter.flush(true));
      expect(values(batches)).toEqual(['0123456789', 'y'.repeat(10), 'z', 'w'.repeat(10)]);
      expect(batches.map(({ truncated }) => truncated)).toEqual([{ 1: 35, 3: 11 }]);
    }
  });

  it('of a line of many times the limit only the beginning is kept', () => {
    const cutter = createLineBatches({ ...roomy, maxLineBytes: 4 * MiB });
    const chunk = Buffer.alloc(MiB, 120);
    for (let count = 0; count < 100; count++) expect(cutter.push(chunk)).toEqual([]);
    const [batch] = cutter.flush(true);
    expect(batch!.bytes.length).toBe(MiB);
    expect(batch!.truncated).toEqual({ 0: 100 * MiB });
  });

  it('a long line travels alone', () => {
    const cutter = createLineBatches({ ...roomy, batchBytes: 100 });
    const batches = cutter.push(Buffer.from(`a\n${'b'.repeat(500)}\nc\n`));
    batches.push(...cutter.flush(false));
    expect(batches.map((batch) => values([batch]))).toEqual([['a'], ['b'.repeat(500)], ['c']]);
  });
});

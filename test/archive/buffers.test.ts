import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createBuffers } from '../../src/archive/buffers.ts';
import { mergeSlices } from '../../src/archive/merge.ts';
import type { DeadLetter } from '../../src/types.ts';
import { rowOf, scoredOf } from './rows.ts';

const options = { partitionBy: ['customer', 'day'], fileBytes: 4096 } as const;
const batchArb = fc.record({
  partition: fc.nat(2),
  customers: fc.array(fc.constantFrom('a', 'b', 'c/d', '..'), { maxLength: 30 }),
  dead: fc.nat(2),
  skipped: fc.nat(3),
});

function letter(offset: number): DeadLetter {
  return {
    topic: 'content',
    partition: 0,
    offset,
    stage: 'decode',
    code: 'not_json',
    detail: '',
    timestamp: null,
    receivedAt: 0,
    bytes: new Uint8Array(3),
    key: null,
    headers: null,
  };
}

describe('buffers', () => {
  it('hold each row once, by customer, and settle contiguous ranges that count all of them', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof({ weight: 5, arbitrary: batchArb }, fc.constant('seal' as const)), {
          maxLength: 30,
        }),
        (steps) => {
          const buffers = createBuffers(options);
          const next = [0, 0, 0];
          const expected: string[] = [];
          const found: string[] = [];
          const settled = [0, 0, 0];
          let rows = 0;
          const seal = () => {
            const { files, partitions, deadLetters } = buffers.seal();
            for (const file of files) {
              const columns = mergeSlices(file.chunks, file.table);
              expect(columns.rows).toBe(file.rows);
              expect(file.bytes).toBe(file.chunks.reduce((sum, chunk) => sum + chunk.length, 0));
              for (let row = 0; row < columns.rows; row++) {
                const { customer, partition } = columns.constants[columns.sliceOf[row]!]!;
                expect(customer).toBe(file.customer);
                found.push(`${customer} ${partition} ${columns.offset[row]}`);
              }
            }
            let dead = 0;
            for (const range of partitions) {
              expect(range.from).toBe(settled[range.partition]);
              expect(range.to - range.from).toBe(range.rows + range.deadLetters + range.skipped);
              settled[range.partition] = range.to;
              dead += range.deadLetters;
            }
            expect(deadLetters).toHaveLength(dead);
            rows = 0;
            expect(buffers).toMatchObject({ rows: 0, bytes: 0, since: undefined });
          };
          for (const step of steps) {
            if (step === 'seal') {
              seal();
              continue;
            }
            const { partition, customers, dead, skipped } = step;
            const first = next[partition]!;
            const batch = { rows: customers.map((customer) => rowOf({ customer })), partition, first };
            for (const [i, customer] of customers.entries())
              expected.push(`${customer} ${partition} ${first + i}`);
            next[partition] = first + customers.length + dead + skipped;
            buffers.add(
              scoredOf(batch, {
                next: next[partition],
                deadLetters: Array.from({ length: dead }, (_, i) => letter(first + customers.length + i)),
                skipped: { tombstone: skipped },
              }),
              7,
            );
            rows += customers.length;
            expect(buffers.rows).toBe(rows);
            expect(buffers.since).toBe(7);
          }
          seal();
          expect(settled).toEqual(next);
          expect(found.toSorted()).toEqual(expected.toSorted());
        },
      ),
      { numRuns: 60 },
    );
  });

  it('refuse a gap and an overlap in a partition, also across a seal', () => {
    const buffers = createBuffers(options);
    const at = (first: number) => scoredOf({ rows: [rowOf(), rowOf()], first });
    buffers.add(at(10), 0);
    expect(() => buffers.add(at(13), 0)).toThrow('begins at offset 12, got one of 13');
    expect(() => buffers.add(at(11), 0)).toThrow('begins at offset 12, got one of 11');
    buffers.seal();
    expect(() => buffers.add(at(10), 0)).toThrow('begins at offset 12');
    buffers.add(at(12), 0);
    expect(buffers.rows).toBe(2);
  });

  it('begin another file beyond the size of one', () => {
    const buffers = createBuffers(options);
    for (let first = 0; first < 20; first++)
      buffers.add(scoredOf({ rows: [rowOf({ text: 'x'.repeat(900) })], first }), 0);
    const { files } = buffers.seal();
    expect(files.length).toBeGreaterThan(3);
    for (const file of files) expect(file.bytes).toBeLessThanOrEqual(4096);
    expect(files.reduce((sum, file) => sum + file.rows, 0)).toBe(20);
  });

  it('count the memory that they hold', () => {
    const buffers = createBuffers({ ...options, fileBytes: 1e9 });
    for (let first = 0; first < 50; first++)
      buffers.add(scoredOf({ rows: [rowOf({ customer: `c${first % 9}` })], first }), 0);
    const { bytes } = buffers;
    const held = buffers.seal().files.flatMap(({ chunks }) => chunks);
    expect(bytes).toBe(held.reduce((sum, chunk) => sum + chunk.buffer.byteLength, 0));
  });

  it('put customers together when the path does not name them', () => {
    const buffers = createBuffers({ partitionBy: ['day'], fileBytes: 1e9 });
    buffers.add(
      scoredOf({ rows: [rowOf({ customer: 'a' }), rowOf({ customer: 'b' })], partitionBy: ['day'] }),
      0,
    );
    const { files } = buffers.seal();
    expect(files).toMatchObject([{ path: 'dt=2026-01-01/', customer: undefined, rows: 2 }]);
  });
});

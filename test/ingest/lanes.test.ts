import { describe, expect, it } from 'vitest';
import { createLanes } from '../../src/ingest/lanes.ts';
import { rawBatch } from './raw-batch.ts';

const committed = (partition: number, offset: number) => ({ topic: 't', partition, offset, transaction: '' });
const batch = (first: number, rows: number, next = first + rows) => ({
  ...rawBatch(
    Array.from({ length: rows }, (_, row) => `${first + row}`),
    { first },
  ),
  topic: 't',
  partition: 0,
  next,
});
const position = (offset: number) => ({ topic: 't', partition: 0, offset });

describe('lanes', () => {
  it('begin at what is committed by then', () => {
    const lanes = createLanes();
    lanes.assign([committed(0, 5), committed(1, 7)]);
    lanes.committed([position(3)]);
    expect(lanes.begin(null)).toEqual([position(3), { topic: 't', partition: 1, offset: 7 }]);
    expect(lanes.allRead()).toBe(false);
  });

  it('batches follow each other without a gap, whatever lies between them', () => {
    const lanes = createLanes();
    lanes.assign([committed(0, 0)]);
    lanes.begin(null);
    expect(lanes.take(batch(0, 2, 3), 20)).toMatchObject({ first: 0, next: 3, rows: 2 });
    expect(lanes.take(batch(3, 0, 6), 20)).toMatchObject({ rows: 0 });
    lanes.reached(position(0), 9);
    expect(lanes.take(batch(9, 1, 10), 20)).toMatchObject({ first: 3, next: 10 });
    expect(lanes.lag()).toEqual([{ topic: 't', partition: 0, position: 10, committed: 0, end: 20 }]);
    lanes.sawEnd(position(0), 30);
    lanes.sawEnd(position(0), 25);
    expect(lanes.lag()[0]!.end).toBe(30);
  });

  it('end at their targets, in the middle of a batch if need be', () => {
    const lanes = createLanes();
    lanes.assign([committed(0, 0), committed(1, 4)]);
    const targets = new Map([
      ['t/0', 5],
      ['t/1', 4],
    ]);
    expect(lanes.begin(targets)).toEqual([position(0)]);
    expect(lanes.isRead({ topic: 't', partition: 1 })).toBe(true);
    expect(lanes.take(batch(0, 3), 9)).toMatchObject({ rows: 3 });
    expect(lanes.allRead()).toBe(false);
    const last = lanes.take(batch(3, 4), 9)!;
    expect([last.rows, last.next, [...last.offsets]]).toEqual([2, 5, [3, 4]]);
    expect(lanes.allRead()).toBe(true);
  });

  it('a member without partitions has read them all, when there are ends', () => {
    const lanes = createLanes();
    lanes.assign([]);
    lanes.begin(null);
    expect(lanes.allRead()).toBe(false);
    lanes.begin(new Map());
    expect(lanes.allRead()).toBe(true);
  });
});

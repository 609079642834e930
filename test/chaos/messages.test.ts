import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMessages, RUN_LENGTH, type ChaosMessage } from './messages.ts';

const options = { seed: 3, customers: 50, partitions: 6, lateFrom: 8000 };
const messageOf = createMessages(options);
const all = Array.from({ length: 10_000 }, (_, index) => messageOf(index));
const count = (test: (message: ChaosMessage) => boolean) => all.filter(test).length;

describe('createMessages', () => {
  it('makes the same message for the same seed and index', () => {
    fc.assert(
      fc.property(fc.integer(), fc.nat(1_000_000), (seed, index) => {
        expect(createMessages({ ...options, seed })(index)).toEqual(
          createMessages({ ...options, seed })(index),
        );
      }),
    );
  });

  it('has ids that no other message has, readable in the bytes of dead letters', () => {
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
    for (const { id, value } of all.filter(({ fate }) => fate === 'dead_letter'))
      expect(value!.toString('latin1')).toContain(`"${id}"`);
  });

  it('is skewed, with every fate, an idle and a late partition', () => {
    const customers = [...Map.groupBy(all, ({ customer }) => customer).values()].map((list) => list.length);
    expect(customers.length).toBe(50);
    expect(Math.max(...customers)).toBeGreaterThan(20 * Math.min(...customers));
    for (const fate of ['row', 'dead_letter', 'tombstone', 'aborted'] as const) {
      expect(count((message) => message.fate === fate)).toBeGreaterThan(10);
    }
    expect(count(({ partition }) => partition === 5)).toBe(0);
    expect(count(({ partition, index }) => partition === 4 && index < 8000)).toBe(0);
    expect(count(({ partition }) => partition === 4)).toBeGreaterThan(100);
    expect(count(({ headers }) => 'customer' in headers)).toBeGreaterThan(100);
    expect(count(({ key }) => key === null)).toBeGreaterThan(100);
  });

  it('keeps a run in one partition and one transaction', () => {
    for (let first = 0; first < all.length; first += RUN_LENGTH) {
      const run = all.slice(first, first + RUN_LENGTH);
      expect(new Set(run.map(({ partition, transactional }) => `${partition} ${transactional}`)).size).toBe(
        1,
      );
      expect(new Set(run.map(({ fate }) => fate === 'aborted')).size).toBe(1);
    }
  });
});

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPlaces } from '../../src/api/places.ts';

describe('places', () => {
  it('gives no more than there are, and no customer more than its share', () => {
    const step = fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.boolean());
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 12 }),
        fc.double({ min: 0.01, max: 1, noNaN: true }),
        fc.array(step, { maxLength: 100 }),
        (size, share, steps) => {
          let told = 0;
          const places = createPlaces({ size, share, onTaken: (taken) => (told = taken) });
          const most = Math.max(1, Math.floor(size * share));
          const held: string[] = [];
          for (const [customer, isTaking] of steps) {
            const own = held.filter((each) => each === customer).length;
            if (isTaking) {
              const expected = held.length === size ? 'full' : own === most ? 'over_share' : 'taken';
              expect(places.take(customer)).toBe(expected);
              if (expected === 'taken') held.push(customer);
            } else if (own > 0) {
              places.giveBack(customer);
              held.splice(held.indexOf(customer), 1);
            }
            expect(told).toBe(held.length);
          }
        },
      ),
    );
  });
});

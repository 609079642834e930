import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { sortedOrder } from '../../src/archive/order.ts';

it('is the order of a stable sort, or undefined when that changes nothing', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 200 }), (values) => {
      const indices = values.map((_, i) => i);
      const sorted = indices.toSorted((a, b) => values[a]! - values[b]!);
      const order = sortedOrder(values.length, (a, b) => values[a]! < values[b]!);
      if (order === undefined) expect(sorted).toEqual(indices);
      else {
        expect([...order]).toEqual(sorted);
        expect(sorted).not.toEqual(indices);
      }
    }),
  );
});

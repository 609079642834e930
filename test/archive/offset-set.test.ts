import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { createOffsetSet } from '../../src/archive/offset-set.ts';

const offset = fc.oneof(fc.nat({ max: 70_000 }), fc.integer({ min: 65_530, max: 65_545 }), fc.maxSafeNat());

it('an offset set is a set, up to 2^53', () => {
  fc.assert(
    fc.property(
      fc.array(offset, { maxLength: 200 }),
      fc.array(offset, { maxLength: 20 }),
      (added, others) => {
        const model = new Set<number>();
        const set = createOffsetSet();
        for (const each of added) {
          expect(set.add(each)).toBe(!model.has(each));
          model.add(each);
        }
        for (const each of [...added, ...others]) expect(set.has(each)).toBe(model.has(each));
      },
    ),
  );
});

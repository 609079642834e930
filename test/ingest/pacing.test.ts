import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPacer } from '../../src/ingest/pacing.ts';

const turn = () => new Promise(setImmediate);

describe('createPacer', () => {
  it('one item above the limit enters when nothing else is in', async () => {
    const pacer = createPacer(10);
    await pacer.enter(100);
    let second = false;
    const entering = pacer.enter(1).then(() => (second = true));
    await turn();
    expect([second, pacer.inFlight(), pacer.waiting()]).toEqual([false, 100, 1]);
    pacer.leave(100);
    await entering;
    expect([second, pacer.inFlight(), pacer.waiting()]).toEqual([true, 1, 0]);
  });

  it('nobody passes someone who waits', async () => {
    const pacer = createPacer(10);
    await pacer.enter(8);
    const order: string[] = [];
    const large = pacer.enter(9).then(() => order.push('large'));
    const small = pacer.enter(1).then(() => order.push('small'));
    await turn();
    expect(order).toEqual([]);
    pacer.leave(8);
    await Promise.all([large, small]);
    expect(order).toEqual(['large', 'small']);
  });

  it('leaving what never entered is a bug', () => {
    expect(() => createPacer(10).leave(1)).toThrow(/expected to leave what entered/);
  });

  it('never above the limit with more than one in, in order, and everyone gets in', async () => {
    const sizes = fc.array(fc.integer({ min: 0, max: 15 }), { maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(sizes, fc.infiniteStream(fc.nat()), async (items, choices) => {
        const pacer = createPacer(10);
        const inside: number[] = [];
        const entered: number[] = [];
        const all = items.map((bytes, at) =>
          pacer.enter(bytes).then(() => entered.push(at) + inside.push(bytes)),
        );
        for (let left = 0; left < items.length; left++) {
          await turn();
          const sum = inside.reduce((total, bytes) => total + bytes, 0);
          expect(pacer.inFlight()).toBe(sum);
          expect(sum <= 10 || inside.length === 1).toBe(true);
          expect(pacer.waiting()).toBe(items.length - entered.length);
          expect(inside.length).toBeGreaterThan(0);
          const [bytes] = inside.splice(choices.next().value % inside.length, 1);
          pacer.leave(bytes!);
        }
        await Promise.all(all);
        expect(entered).toEqual(items.map((_, at) => at));
        expect(pacer.inFlight()).toBe(0);
      }),
      { numRuns: 50 },
    );
  });
});

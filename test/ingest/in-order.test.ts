import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { messageOf } from '../../src/errors.ts';
import { createInOrder } from '../../src/ingest/in-order.ts';

const turn = () => new Promise(setImmediate);

const job = fc.record({
  lane: fc.constantFrom('a', 'b', 'c'),
  fails: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
});

describe('createInOrder', () => {
  it('releases each lane in order, whatever finishes first, up to its first failure', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(job, { maxLength: 20 }),
        fc.infiniteStream(fc.nat()),
        async (jobs, choices) => {
          const released: { lane: string; at: number }[] = [];
          let releasing = 0;
          const order = createInOrder<{ lane: string; at: number }>(async (value) => {
            expect(++releasing).toBeLessThanOrEqual(3);
            await turn();
            released.push(value);
            releasing--;
          });
          const works = jobs.map(({ lane, fails }, at) => {
            const { promise, resolve, reject } = Promise.withResolvers<{ lane: string; at: number }>();
            const settle = () => (fails ? reject(new Error(`job ${at}`)) : resolve({ lane, at }));
            return { settle, done: order.submit(lane, promise) };
          });
          const outcomes = Promise.allSettled(works.map(({ done }) => done));
          expect(order.pending()).toBe(jobs.length);
          const waiting = [...works];
          while (waiting.length > 0) {
            waiting.splice(choices.next().value % waiting.length, 1)[0]!.settle();
            if (choices.next().value % 2 === 0) await turn();
          }
          const results = await outcomes;
          expect(order.pending()).toBe(0);

          for (const lane of ['a', 'b', 'c']) {
            const submitted = jobs.flatMap((each, at) =>
              each.lane === lane ? [{ at, fails: each.fails }] : [],
            );
            const firstFailure = submitted.findIndex(({ fails }) => fails);
            const good = firstFailure < 0 ? submitted : submitted.slice(0, firstFailure);
            expect(released.filter((each) => each.lane === lane).map(({ at }) => at)).toEqual(
              good.map(({ at }) => at),
            );
            for (const { at } of submitted) {
              const result = results[at]!;
              const expected = good.some((each) => each.at === at)
                ? null
                : `job ${submitted[firstFailure]!.at}`;
              expect(result.status === 'rejected' ? messageOf(result.reason) : null).toBe(expected);
            }
          }
          if (jobs.some(({ fails }) => fails)) await expect(order.drain()).rejects.toThrow(/^job \d+$/);
          else await order.drain();
        },
      ),
      { numRuns: 100 },
    );
  });

  it('an error of release holds the lane back as well, now and later', async () => {
    const released: number[] = [];
    const order = createInOrder<number>((value) => {
      if (value === 2) throw new Error('disk full');
      released.push(value);
    });
    const first = [1, 2, 3].map((value) => order.submit('a', Promise.resolve(value)));
    expect((await Promise.allSettled(first)).map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'rejected',
    ]);
    await expect(order.submit('a', Promise.resolve(4))).rejects.toThrow('disk full');
    await order.submit('b', Promise.resolve(5));
    expect(released).toEqual([1, 5]);
    await expect(order.drain()).rejects.toThrow('disk full');
  });

  it('drain waits for everything that was submitted', async () => {
    const { promise, resolve } = Promise.withResolvers<number>();
    const released: number[] = [];
    const order = createInOrder<number>((value) => void released.push(value));
    const done = order.submit('a', promise);
    const drained = order.drain().then(() => released.length);
    resolve(1);
    expect(await drained).toBe(1);
    await done;
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Decision } from '../../src/decision.ts';
import { MisconfiguredError, RetryableError } from '../../src/errors.ts';
import type { Sink } from '../../src/sinks/sink.ts';
import { sampleDecision } from '../sample-decision.ts';

/** One sink under test, at a place that nothing was told yet. */
export interface SinkUnderTest {
  readonly sink: Sink;
  /** The sink of another process, at the same place. */
  again(): Promise<Sink>;
  /** The same sink with a server that is not there. */
  unreachable(): Promise<Sink>;
  /**
   * Ids of the decisions that a receiver knows after it dropped repeats by id, in any order. Resolves when at least `count` are
   * there (some receivers hear of them later than the sink has them).
   */
  received(count: number): Promise<string[]>;
  close(): Promise<void>;
}

/** Texts that break what is put together from strings. */
const HOSTILE = [
  `it's "quoted"; DROP TABLE scores; --`,
  'line\nbreak\ttab',
  'emoji 👩‍👩‍👧 and عربى',
  '{"json": [1]}',
  'slash/../dots:and#hash?query=1&x',
  '$1 %s {{x}} \\u0041 \\',
];

const signal = () => AbortSignal.timeout(30_000);

/** What every sink promises; sink.ts has the words. `open` is called once for each of the tests' groups. */
export function sinkContract(name: string, open: () => Promise<SinkUnderTest>): void {
  describe(`sink contract: ${name}`, () => {
    let under: SinkUnderTest;
    const told: Decision[] = [];
    beforeAll(async () => {
      under = await open();
    });
    afterAll(async () => {
      await under.close();
    });
    const ids = () => told.map(({ id }) => id).toSorted();
    const received = async () => (await under.received(told.length)).toSorted();

    it('checks what it is configured with, and says where it is', async () => {
      await under.sink.check();
      expect(under.sink.description).not.toBe('');
      expect(under.sink.description).not.toMatch(/:\/\/[^/]*:[^/]*@/);
    });

    it('takes an empty batch', async () => {
      expect(await under.sink.deliver([], signal())).toEqual([]);
    });

    it('has told a batch when it resolves', async () => {
      const batch = [0, 1, 2].map((offset) => sampleDecision(offset));
      expect(await under.sink.deliver(batch, signal())).toEqual([]);
      told.push(...batch);
      expect(await received()).toEqual(ids());
    });

    it('is told the same again, in another order, by another process, and a receiver sees nothing new', async () => {
      const other = await under.again();
      expect(await other.deliver(told.toReversed(), signal())).toEqual([]);
      await other.close();
      await under.sink.deliver(told.slice(1), signal());
      expect(await received()).toEqual(ids());
    });

    it('takes actions, customers and labels of all kinds, nothing scored included', async () => {
      const batch = [
        sampleDecision(10, { action: 'review', customer: 'other' }),
        sampleDecision(11, { action: 'allow', reasons: [], scores: {}, model: null, policy: null }),
        sampleDecision(12, { user_id: null, content_type: null, language: null, produced_at: null }),
        sampleDecision(13, { created_at: null }),
      ];
      expect(await under.sink.deliver(batch, signal())).toEqual([]);
      told.push(...batch);
      expect(await received()).toEqual(ids());
    });

    it('keeps hostile names apart from each other', async () => {
      const batch = HOSTILE.flatMap((text, index) => [
        sampleDecision(20 + 2 * index, { customer: text, user_id: text }),
        sampleDecision(21 + 2 * index, { content_id: text, content_type: text }),
      ]);
      expect(await under.sink.deliver(batch, signal())).toEqual([]);
      told.push(...batch);
      expect(await received()).toEqual(ids());
    });

    it('takes batches side by side', async () => {
      const batches = [100, 200, 300, 400].map((start) =>
        Array.from({ length: 50 }, (_, index) => sampleDecision(start + index)),
      );
      const refusals = await Promise.all(batches.map((batch) => under.sink.deliver(batch, signal())));
      expect(refusals.flat()).toEqual([]);
      told.push(...batches.flat());
      expect(await received()).toEqual(ids());
    });

    it('takes a batch of 2,000', async () => {
      const batch = Array.from({ length: 2000 }, (_, index) => sampleDecision(1000 + index));
      expect(await under.sink.deliver(batch, signal())).toEqual([]);
      told.push(...batch);
      expect(await received()).toEqual(ids());
    });

    it('says that nobody answers, so that it is asked again', async () => {
      const away = await under.unreachable();
      try {
        await expect(away.deliver([sampleDecision(0)], signal())).rejects.toThrow(RetryableError);
        const error: unknown = await away.check().catch((reason: unknown) => reason);
        // A start waits for a RetryableError, as itself or as the cause.
        expect(error).toBeInstanceOf(Error);
        const cause = error instanceof MisconfiguredError ? error.cause : error;
        expect(cause).toBeInstanceOf(RetryableError);
      } finally {
        await away.close();
      }
    });

    it('is asked again after an attempt that nobody waits for, if it does not end it', async () => {
      const batch = [sampleDecision(5000), sampleDecision(5001)];
      const outcome: unknown = await under.sink
        .deliver(batch, AbortSignal.abort())
        .catch((error: unknown) => error);
      if (outcome instanceof Error) expect(outcome).toBeInstanceOf(RetryableError);
      else expect(outcome).toEqual([]);
      expect(await under.sink.deliver(batch, signal())).toEqual([]);
      told.push(...batch);
      expect(await received()).toEqual(ids());
    });

    it('closes, also twice', async () => {
      const other = await under.again();
      await other.close();
      await other.close();
    });
  });
}

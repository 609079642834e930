import * as fc from 'fast-check';
import pRetry from 'p-retry';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { versionOf, type Decision } from '../../src/decision.ts';
import { RetryableError } from '../../src/errors.ts';
import { scoreOf, type Score } from '../../src/sinks/score.ts';
import type { Sink } from '../../src/sinks/sink.ts';
import { sampleDecision } from '../sample-decision.ts';

/** A score as the server has it, and what the server changes whenever it writes it: a transaction's number, a time to live. */
export interface StoredScore {
  readonly score: Score;
  readonly mark: string;
}

/** A sink that keeps the newest score of each content, over a server that may be killed. */
export interface ScoresUnderTest {
  readonly sink: Sink;
  /** The sink of another process, at the same place. */
  again(): Promise<Sink>;
  /** Everything that is kept of a customer, read without the sink's code. */
  rows(customer: string): Promise<StoredScore[]>;
  kill(): Promise<void>;
  /** Resolves when it answers again, with its data. */
  start(): Promise<void>;
  close(): Promise<void>;
}

const signal = () => AbortSignal.timeout(60_000);
const byContent = (a: StoredScore, b: StoredScore) => (a.score.content_id < b.score.content_id ? -1 : 1);

/** Version `age` of a content: another decision, with another score, at another time. */
function versionOfContent(customer: string, content: number, age: number): Decision {
  const offset = content * 1000 + age;
  const producedAt = 1_700_000_000_000 + age;
  return sampleDecision(offset, {
    customer,
    content_id: `post-${content}`,
    version: versionOf({ producedAt, receivedAt: producedAt, partition: 0, offset }),
    scores: age % 2 === 0 ? { toxic: age / 100 } : { toxic: age / 100, spam: 0.5, hate: 1 },
    reasons: age % 3 === 0 ? [] : [{ label: 'toxic', score: age / 100, threshold: 0.01 }],
    language: age % 2 === 0 ? null : 'de',
    policy: age % 5 === 0 ? null : `default@${age}`,
  });
}

/** The newest of each content, as it should be kept. */
function newestOf(decisions: readonly Decision[]): Score[] {
  const newest = new Map<string, Decision>();
  for (const decision of decisions) {
    const known = newest.get(decision.content_id);
    if (!known || decision.version > known.version) newest.set(decision.content_id, decision);
  }
  return [...newest.values()].map(scoreOf).toSorted((a, b) => (a.content_id < b.content_id ? -1 : 1));
}

/** What sinks promise that keep the newest decision on each content. `open` gives a place with nothing in it. */
export function scoresContract(name: string, open: () => Promise<ScoresUnderTest>): void {
  describe(`scores contract: ${name}`, () => {
    let under: ScoresUnderTest;
    let other: Sink;
    let run = 0;
    beforeAll(async () => {
      under = await open();
      other = await under.again();
    });
    afterAll(async () => {
      await other.close();
      await under.close();
    });
    const stored = async (customer: string) => (await under.rows(customer)).toSorted(byContent);
    const scores = async (customer: string) => (await stored(customer)).map(({ score }) => score);
    const freshCustomer = () => `customer-${run++}`;

    it('keeps the newest of each content, whatever the order, the batches and the repeats', async () => {
      const decision = fc.record({ content: fc.nat({ max: 3 }), age: fc.nat({ max: 7 }) });
      const batches = fc.array(fc.array(decision, { minLength: 1, maxLength: 12 }), {
        minLength: 1,
        maxLength: 5,
      });
      await fc.assert(
        fc.asyncProperty(batches, fc.boolean(), async (plan, areSideBySide) => {
          const customer = freshCustomer();
          const told = plan.map((batch) =>
            batch.map(({ content, age }) => versionOfContent(customer, content, age)),
          );
          const deliveries = told.map((batch, index) => async () => {
            expect(await (index % 2 === 0 ? under.sink : other).deliver(batch, signal())).toEqual([]);
          });
          if (areSideBySide) await Promise.all(deliveries.map((deliver) => deliver()));
          else for (const deliver of deliveries) await deliver();
          expect(await scores(customer)).toEqual(newestOf(told.flat()));
        }),
        { numRuns: 30 },
      );
    });

    it('changes nothing by a replay, not even what the server keeps beside a row', async () => {
      const customer = freshCustomer();
      const told = [0, 1, 2].flatMap((content) =>
        [4, 1, 5].map((age) => versionOfContent(customer, content, age)),
      );
      await under.sink.deliver(told, signal());
      const before = await stored(customer);
      expect(before).toHaveLength(3);
      // A replay decides again: at another time, maybe otherwise.
      const replayed = told.map((decision) => ({
        ...decision,
        decided_at: '2027-01-01T00:00:00.000Z',
        model: 'another@2',
        scores: { toxic: 0.5 },
      }));
      await other.deliver(replayed, signal());
      await under.sink.deliver(replayed.toReversed(), signal());
      expect(await stored(customer)).toEqual(before);
    });

    it('says the same when two processes write the same contents in opposite orders', async () => {
      const customer = freshCustomer();
      const rounds = Array.from({ length: 6 }, (_, age) =>
        Array.from({ length: 120 }, (_unused, content) => versionOfContent(customer, content, age)),
      );
      await Promise.all([
        ...rounds.map((batch) => under.sink.deliver(batch, signal())),
        ...rounds.toReversed().map((batch) => other.deliver(batch.toReversed(), signal())),
      ]);
      expect(await scores(customer)).toEqual(newestOf(rounds.flat()));
    });

    it('takes 5,000 decisions at once, three on each content', async () => {
      const customer = freshCustomer();
      const batch = Array.from({ length: 5000 }, (_, index) =>
        versionOfContent(customer, Math.floor(index / 3), index % 3),
      );
      expect(await under.sink.deliver(batch, signal())).toEqual([]);
      expect(await scores(customer)).toEqual(newestOf(batch));
    });

    it('says that it may be asked again while the server is away, and loses nothing to its kill', async () => {
      const customer = freshCustomer();
      const first = Array.from({ length: 50 }, (_, content) => versionOfContent(customer, content, 1));
      const second = Array.from({ length: 50 }, (_, content) => versionOfContent(customer, content + 25, 2));
      await under.sink.deliver(first, signal());
      await under.kill();
      try {
        await expect(under.sink.deliver(second, signal())).rejects.toThrow(RetryableError);
        await expect(under.sink.check()).rejects.toThrow(RetryableError);
      } finally {
        await under.start();
      }
      // A connection from before may fail once more, in no other way.
      await pRetry(() => under.sink.deliver(second, signal()), {
        retries: 5,
        minTimeout: 50,
        shouldRetry: ({ error }) => error instanceof RetryableError,
      });
      await under.sink.check();
      expect(await scores(customer)).toEqual(newestOf([...first, ...second]));
    });

    it('is killed in the middle of a batch, and has all of it after the next attempt', async () => {
      const customer = freshCustomer();
      const batch = Array.from({ length: 1000 }, (_, content) => versionOfContent(customer, content, 1));
      const delivery = under.sink.deliver(batch, signal()).then(
        () => 'delivered',
        (error: unknown) => error,
      );
      await under.kill();
      const outcome = await delivery;
      await under.start();
      if (outcome !== 'delivered') expect(outcome).toBeInstanceOf(RetryableError);
      await pRetry(() => under.sink.deliver(batch, signal()), {
        retries: 5,
        minTimeout: 50,
        shouldRetry: ({ error }) => error instanceof RetryableError,
      });
      expect(await scores(customer)).toEqual(newestOf(batch));
    });
  });
}

import { setTimeout as delay } from 'node:timers/promises';
import pRetry from 'p-retry';
import type { Decision } from '../decision.ts';
import { RetryableError, StoreError, messageOf } from '../errors.ts';
import { createFilter, type Filter } from './filter.ts';
import type { Refusal, Sink } from './sink.ts';

/** A sink with what it is told. */
export interface Branch {
  /** Its name in the configuration. */
  readonly name: string;
  readonly sink: Sink;
  /** A decision is for the sink when one of them wants it. */
  readonly filters: readonly Filter[];
  /** Whether decisions keep their text. */
  readonly text: boolean;
}

/** A decision that a sink can never take. */
export interface Refused extends Omit<Refusal, 'index'> {
  readonly sink: string;
  readonly decision: Decision;
}

/** What one batch was to one sink. */
export interface Delivered {
  readonly sink: string;
  readonly decisions: number;
  readonly refused: number;
  /** From the message's time stamp to its delivery, of the oldest decision; milliseconds. */
  readonly lag: number;
  /** Attempts included, milliseconds. */
  readonly took: number;
}

/** What {@link createFanOut} is made of. */
export interface FanOutOptions {
  readonly branches: readonly Branch[];
  /** Longest time of one attempt, milliseconds. */
  readonly timeout: number;
  readonly onDelivered?: (delivered: Delivered) => void;
  readonly onRetry?: (retry: {
    readonly sink: string;
    readonly attempt: number;
    readonly error: string;
  }) => void;
  /** Milliseconds before the second attempt, doubled each time up to five seconds, with jitter. */
  readonly backoff?: number;
}

/** All sinks as one. */
export interface FanOut {
  readonly branches: readonly Branch[];
  /**
   * Tells every sink what it wants of a batch: side by side, so that a slow one delays no other's answer. Resolves when each
   * decision is delivered or refused by each of them; a sink that cannot answer is asked again for as long as it takes. Throws
   * what a sink throws that must be mended, and StoreError when it was abandoned.
   */
  deliver(decisions: readonly Decision[]): Promise<readonly Refused[]>;
  /** Gives up on sinks that do not answer: deliveries under way fail. */
  abandon(): void;
  close(): Promise<void>;
}

/** A fan-out to opened sinks; closing it closes them. */
export function createFanOut(options: FanOutOptions): FanOut {
  const { branches, timeout, onDelivered, onRetry, backoff = 100 } = options;
  const abandoned = new AbortController();
  const wanted = branches.map(({ filters }) => filters.map(createFilter));

  /** One attempt, which ends in time whether or not the sink looks at its signal. */
  async function attempt(
    { name, sink }: Branch,
    decisions: readonly Decision[],
  ): Promise<readonly Refusal[]> {
    const over = new AbortController();
    const signal = AbortSignal.any([abandoned.signal, over.signal]);
    const late = delay(timeout, undefined, { signal }).then(() => {
      throw new RetryableError(`sink ${name}: expected an answer within ${timeout / 1000} s, got none`);
    });
    try {
      return await Promise.race([sink.deliver(decisions, signal), late]);
    } finally {
      late.catch(() => undefined);
      over.abort();
    }
  }

  async function tell(branch: Branch, decisions: readonly Decision[]): Promise<Refused[]> {
    const started = performance.now();
    let last: unknown;
    const refusals = await pRetry(() => attempt(branch, decisions), {
      retries: Infinity,
      minTimeout: backoff,
      maxTimeout: Math.max(backoff, 5_000),
      randomize: true,
      signal: abandoned.signal,
      onFailedAttempt: ({ error }) => {
        last = error;
      },
      shouldRetry: ({ error, attemptNumber }) => {
        if (!(error instanceof RetryableError)) return false;
        onRetry?.({ sink: branch.name, attempt: attemptNumber, error: messageOf(error) });
        return true;
      },
    }).catch((error: unknown) => {
      if (!abandoned.signal.aborted) throw error;
      throw new StoreError(`sink ${branch.name}: gave up: ${messageOf(last ?? error)}`, { cause: last });
    });
    onDelivered?.({
      sink: branch.name,
      decisions: decisions.length,
      refused: refusals.length,
      lag: Date.now() - oldest(decisions),
      took: performance.now() - started,
    });
    return refusals.map(({ index, ...refusal }) => ({
      ...refusal,
      sink: branch.name,
      decision: decisions[index]!,
    }));
  }

  return {
    branches,
    async deliver(decisions) {
      const told = branches.flatMap((branch, index) => {
        const own = decisions.filter((decision) => {
          const facts = { ...decision, reasons: decision.reasons.map(({ label }) => label) };
          return wanted[index]!.some((wants) => wants(facts));
        });
        if (own.length === 0) return [];
        return [tell(branch, branch.text ? own : own.map(withoutText))];
      });
      return (await Promise.all(told)).flat();
    },
    abandon: () => abandoned.abort(new StoreError('gave up on a sink that does not answer')),
    async close() {
      await Promise.all(branches.map(({ sink }) => sink.close()));
    },
  };
}

function withoutText(decision: Decision): Decision {
  const copy = { ...decision };
  delete copy.text;
  return copy;
}

function oldest(decisions: readonly Decision[]): number {
  return decisions.reduce(
    (least, { produced_at, received_at }) => Math.min(least, Date.parse(produced_at ?? received_at)),
    Infinity,
  );
}

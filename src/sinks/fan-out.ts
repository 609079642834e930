import { setTimeout as delay } from 'node:timers/promises';
import pRetry from 'p-retry';
import type { Decision } from '../decision.ts';
import { AbandonedError, RetryableError, TooManyDeadLettersError, messageOf } from '../errors.ts';
import { createFilter, filterableOf, type Filter } from './filter.ts';
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
  /** So many refusals of one sink in a row end everything. */
  readonly maxRefusals?: number;
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
   * what a sink throws that must be mended, TooManyDeadLettersError when one refuses everything, and AbandonedError when it was
   * abandoned.
   */
  deliver(decisions: readonly Decision[]): Promise<readonly Refused[]>;
  /** Gives up on sinks that do not answer: deliveries under way, and those to come, fail. */
  abandon(): void;
  close(): Promise<void>;
}

/** A fan-out to opened sinks; closing it closes them. */
export function createFanOut(options: FanOutOptions): FanOut {
  const { branches, timeout, maxRefusals = Infinity, onDelivered, onRetry, backoff = 100 } = options;
  const abandoned = new AbortController();
  const wanted = branches.map(({ filters }) => filters.map(createFilter));
  /** Refusals in a row, by sink. */
  const refused = new Map<string, number>();

  /**
   * One attempt, which ends in time whether or not the sink looks at its signal. The next one waits until this one has settled,
   * for as long again: two at a time would tell everything twice.
   */
  async function attempt(
    { name, sink }: Branch,
    decisions: readonly Decision[],
    over: AbortSignal,
  ): Promise<readonly Refusal[]> {
    const late = new AbortController();
    const signal = AbortSignal.any([over, late.signal]);
    const delivering = sink.deliver(decisions, signal);
    if (await settlesWithin(timeout, delivering, over)) return await delivering;
    late.abort();
    if (await settlesWithin(timeout, delivering, over)) return await delivering;
    // Nobody waits any more: that is no fault of the sink.
    over.throwIfAborted();
    throw new RetryableError(`sink ${name}: expected an answer within ${timeout / 1000} s, got none`);
  }

  async function tell(
    branch: Branch,
    decisions: readonly Decision[],
    failed: AbortSignal,
  ): Promise<Refused[]> {
    const started = performance.now();
    const over = AbortSignal.any([abandoned.signal, failed]);
    let last: unknown;
    const refusals = await pRetry(() => attempt(branch, decisions, over), {
      retries: Infinity,
      minTimeout: backoff,
      maxTimeout: Math.max(backoff, 5_000),
      randomize: true,
      signal: over,
      onFailedAttempt: ({ error }) => {
        if (error instanceof RetryableError) last = error;
      },
      shouldRetry: ({ error, attemptNumber }) => {
        if (!(error instanceof RetryableError)) return false;
        onRetry?.({ sink: branch.name, attempt: attemptNumber, error: messageOf(error) });
        return true;
      },
    }).catch((error: unknown) => {
      if (!abandoned.signal.aborted) throw error;
      throw new AbandonedError(
        `sink ${branch.name} does not answer, so what it was not told is read again by the next run: ${messageOf(last ?? error)}`,
        { cause: last },
      );
    });
    limit(branch.name, decisions.length, refusals);
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

  /** A sink that refuses everything is broken, or its table is: then the pipeline stops, before a whole topic is dead letters. */
  function limit(name: string, told: number, refusals: readonly Refusal[]): void {
    const own = refusals.filter(({ isOneReceivers }) => !isOneReceivers);
    const inARow = own.length < told ? 0 : (refused.get(name) ?? 0) + own.length;
    refused.set(name, inARow);
    if (inARow < maxRefusals) return;
    throw new TooManyDeadLettersError(
      `sink ${name}: expected fewer than ${maxRefusals} refusals in a row, got ${inARow}: nothing since the last flush is committed; the last one: ${own.at(-1)?.detail}`,
    );
  }

  return {
    branches,
    async deliver(decisions) {
      const facts = decisions.map(filterableOf);
      const failed = new AbortController();
      let failure: { readonly error: unknown } | undefined;
      const told = branches.map(async (branch, index) => {
        const own = decisions.filter((_, row) => wanted[index]!.some((wants) => wants(facts[row]!)));
        if (own.length === 0) return [];
        return tell(branch, branch.text ? own : own.map(withoutText), failed.signal);
      });
      // The first that fails for good ends the others, which may be waiting for servers that are away.
      for (const each of told) {
        each.catch((error: unknown) => {
          failure ??= { error };
          failed.abort(error);
        });
      }
      const settled = await Promise.allSettled(told);
      if (failure) throw failure.error;
      return settled.flatMap((each) => (each.status === 'fulfilled' ? each.value : []));
    },
    abandon,
    async close() {
      abandon();
      await Promise.all(branches.map(({ sink }) => sink.close()));
    },
  };

  function abandon(): void {
    abandoned.abort(new AbandonedError('gave up on a sink that does not answer'));
  }
}

/** Whether work settles within so many milliseconds, or before `over` is aborted; a rejection counts as settled. */
async function settlesWithin(limit: number, work: Promise<unknown>, over: AbortSignal): Promise<boolean> {
  const timer = new AbortController();
  const settled = work.then(
    () => true,
    () => true,
  );
  const signal = AbortSignal.any([timer.signal, over]);
  const late = delay(limit, false, { signal }).catch(() => false);
  try {
    return await Promise.race([settled, late]);
  } finally {
    timer.abort();
  }
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

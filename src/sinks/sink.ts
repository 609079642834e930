import type { Decision } from '../decision.ts';

/** A decision that a sink can never take, by its index in what was delivered. */
export interface Refusal {
  readonly index: number;
  /** Bounded, stable word for the reason: `too_large`, `rejected` … */
  readonly code: string;
  /** One sentence: what was expected, what came. */
  readonly detail: string;
  /** It is the fault of one receiver among several: many of them in a row are no reason to stop. */
  readonly isOneReceivers?: boolean;
}

/**
 * Somewhere that decisions are told. A sink neither retries nor waits longer than one attempt: the fan-out does, and keeps
 * what was refused. Implementations pass test/contract/sink.ts; docs/adding-a-sink.md walks through one.
 */
export interface Sink {
  /** Where decisions go, for log lines and `check`. Without credentials. */
  readonly description: string;
  /** Proves that decisions can be delivered; throws MisconfiguredError, or RetryableError when nobody answers. */
  check(): Promise<void>;
  /**
   * Delivers a batch: when it resolves, each decision is durably there, or is refused. The same decision may come again, in
   * whatever order, and must then change nothing for a receiver that knows its id. Throws RetryableError when the same call may
   * be made again, with the same array; StoreError or MisconfiguredError when someone must mend something first. `signal` is
   * aborted when nobody waits any more: then it settles soon, since the next attempt waits for that.
   */
  deliver(decisions: readonly Decision[], signal: AbortSignal): Promise<readonly Refusal[]>;
  close(): Promise<void>;
}

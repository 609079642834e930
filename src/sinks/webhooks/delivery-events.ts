/** What happens while webhooks are delivered, for logs and metrics. `endpoint` is `sink/endpoint`. Never text, never bodies. */
export interface DeliveryEvents {
  /** A process of its own began, or ended, to send. */
  started(fields: { readonly endpoints: number }): void;
  stopped(): void;
  /** A request was made; `result` is the status, or why there was none. */
  attempted(fields: {
    readonly endpoint: string;
    readonly ids: readonly string[];
    readonly outcome: 'delivered' | 'failed' | 'held' | 'gone';
    readonly result: string;
    readonly millis: number;
    /** From the oldest message's time stamp until the answer, milliseconds. */
    readonly lag: number;
  }): void;
  /** The last attempt for a decision failed: it is kept, `sluice webhooks redeliver` sends it again. */
  exhausted(fields: {
    readonly endpoint: string;
    readonly id: string;
    readonly attempts: number;
    readonly result: string;
  }): void;
  disabled(fields: { readonly endpoint: string; readonly why: string }): void;
  breakerOpened(fields: {
    readonly endpoint: string;
    readonly millis: number;
    readonly result: string;
  }): void;
  breakerClosed(fields: { readonly endpoint: string }): void;
  /** This process was silent for too long; another one sends the decision again. */
  lockLost(fields: { readonly endpoint: string; readonly id: string }): void;
  /** Redis does not answer; everything waits. */
  queueFailed(fields: { readonly sink: string; readonly error: string }): void;
  /** What an endpoint's queue holds now. */
  measured(
    fields: EndpointCounts & {
      readonly endpoint: string;
      readonly disabled: boolean;
      readonly open: boolean;
    },
  ): void;
}

/** How many decisions an endpoint's queue holds. */
export interface EndpointCounts {
  readonly waiting: number;
  readonly active: number;
  /** Waiting for another attempt. */
  readonly delayed: number;
  readonly failed: number;
  readonly delivered: number;
  /** Age of the oldest decision that waits, milliseconds since it was queued; 0 when none does. */
  readonly oldest: number;
}

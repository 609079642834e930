/** Statuses by which a request is refused, and what the client must do. */
export type RefusalStatus = 400 | 401 | 403 | 404 | 405 | 408 | 413 | 415 | 422 | 429 | 431 | 503;

/** A request that is answered with its reasons. They name properties and limits, never values that were sent. */
export class HttpRefusal extends Error {
  override name = 'HttpRefusal';
  readonly status: RefusalStatus;
  /** One sentence each. */
  readonly reasons: readonly string[];
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: RefusalStatus,
    reasons: readonly string[],
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(reasons.join(' '));
    this.status = status;
    this.reasons = reasons;
    this.headers = headers;
  }
}

/**
 * The body of every answer that is no success. Koko's Java client reads `errors`; its JavaScript client takes whatever has no
 * `error` for a success, and joins that list.
 */
export function errorBody(reasons: readonly string[]): {
  readonly errors: readonly string[];
  readonly error: readonly string[];
} {
  return { errors: reasons, error: reasons };
}

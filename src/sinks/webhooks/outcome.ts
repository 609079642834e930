import type { Answer } from './post.ts';

/** What an answer means for the decisions that were sent. */
export type Outcome =
  | { readonly kind: 'delivered' }
  /** 410: nobody wants webhooks there any more. */
  | { readonly kind: 'gone' }
  /** 429 or 503 that says when to come back; milliseconds. */
  | { readonly kind: 'held'; readonly millis: number }
  | { readonly kind: 'failed' };

const LEAST_HOLD = 1_000;
const MOST_HOLD = 3600_000;

/** By status: 2xx is delivered; anything else, redirects included (they are never followed), is not. `now`: milliseconds UTC. */
export function outcomeOf({ status, retryAfter }: Answer, now: number): Outcome {
  if (status === null) return { kind: 'failed' };
  if (status >= 200 && status < 300) return { kind: 'delivered' };
  if (status === 410) return { kind: 'gone' };
  const millis = status === 429 || status === 503 ? retryAfterMillis(retryAfter, now) : undefined;
  return millis === undefined ? { kind: 'failed' } : { kind: 'held', millis };
}

/**
 * The wait that a Retry-After header asks for (RFC 9110, 10.2.3: seconds or a date), at least a second and at most an hour;
 * undefined when it says nothing that can be read.
 */
export function retryAfterMillis(value: string | undefined, now: number): number | undefined {
  const text = value?.trim() ?? '';
  const wanted = /^\d{1,12}$/.test(text)
    ? Number(text) * 1000
    : /^[A-Z][a-z]{2,8},? /.test(text)
      ? Date.parse(text) - now
      : NaN;
  return Number.isNaN(wanted) ? undefined : Math.min(MOST_HOLD, Math.max(LEAST_HOLD, wanted));
}

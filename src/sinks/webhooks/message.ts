import { createHash } from 'node:crypto';
import type { Decision } from '../../decision.ts';

/** A webhook before it is signed. */
export interface WebhookMessage {
  /** The `webhook-id`: the same for the same decisions, whenever they are sent. */
  readonly id: string;
  /** JSON. */
  readonly body: string;
}

/**
 * One decision as `decision.created`, whose id is the decision's; or several, for an endpoint that takes batches, as
 * `decisions.created`, whose id is made from theirs. `timestamp` is when the last of them was decided.
 */
export function messageOf(
  decisions: readonly Decision[],
  { batched }: { readonly batched: boolean },
): WebhookMessage {
  const timestamp = decisions.reduce((last, { decided_at }) => (decided_at > last ? decided_at : last), '');
  const [first] = decisions;
  if (!batched && first)
    return {
      id: printableId(first.id),
      body: JSON.stringify({ type: 'decision.created', timestamp, data: first }),
    };
  const ids = decisions.map(({ id }) => id).toSorted();
  const digest = createHash('sha256').update(JSON.stringify(ids)).digest('hex').slice(0, 32);
  return {
    id: `batch_${digest}`,
    body: JSON.stringify({ type: 'decisions.created', timestamp, data: decisions }),
  };
}

/** A decision's id as a header may hold it: what is not printable ASCII (a topic of a file source may be named so) is percent-encoded. */
export function printableId(id: string): string {
  return id.replaceAll(/[^\x21-\x7e]+/gu, encodeURIComponent);
}

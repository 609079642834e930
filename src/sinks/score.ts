import type { Decision } from '../decision.ts';

/** What the scores sinks keep of the newest decision on one content: one row, hash or item for each customer and content. */
export interface Score {
  readonly customer: string;
  readonly content_id: string;
  /** Of two scores of one content the one with the greater text is the newer. */
  readonly version: string;
  readonly decision_id: string;
  readonly action: Decision['action'];
  /** Labels that led to the action, worst first. */
  readonly reasons: readonly string[];
  /** Probability by label, four decimals. */
  readonly scores: Readonly<Record<string, number>>;
  readonly model: string | null;
  readonly policy: string | null;
  readonly language: string | null;
  /** ISO 8601, UTC. */
  readonly created_at: string | null;
  readonly decided_at: string;
}

/** The newest score of one content in a batch. */
export interface NewestScore {
  readonly score: Score;
  /** Indexes of all decisions of the batch on that content, older ones included: what happens to it happens to them. */
  readonly indexes: readonly number[];
}

/** What is kept of a decision. */
export function scoreOf(decision: Decision): Score {
  const { customer, content_id, version, id, action, reasons, scores, model, policy, language } = decision;
  return {
    customer,
    content_id,
    version,
    decision_id: id,
    action,
    reasons: reasons.map(({ label }) => label),
    scores,
    model,
    policy,
    language,
    created_at: decision.created_at,
    decided_at: decision.decided_at,
  };
}

/** The newest score of each content of a batch, in the order of their keys: writers that lock rows never wait in a circle. */
export function newestScores(decisions: readonly Decision[]): NewestScore[] {
  const newest = new Map<string, { decision: Decision; indexes: number[] }>();
  for (const [index, decision] of decisions.entries()) {
    const key = keyOf(decision);
    const known = newest.get(key);
    if (!known) newest.set(key, { decision, indexes: [index] });
    else {
      known.indexes.push(index);
      if (decision.version > known.decision.version) known.decision = decision;
    }
  }
  return [...newest]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { decision, indexes }]) => ({ score: scoreOf(decision), indexes }));
}

/** Consecutive parts of at most `size` items. */
export function chunksOf<Item>(items: readonly Item[], size: number): Item[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}

/** No two contents share it: the length says where the customer ends. */
function keyOf({ customer, content_id }: Decision): string {
  return `${customer.length} ${customer}${content_id}`;
}

import { versionOf, type Decision } from '../src/decision.ts';

const PRODUCED_AT = Date.parse('2026-03-01T10:00:00.000Z');

/** A blocked decision at `offset` of content-0, on content of its own, with whatever is given instead. */
export function sampleDecision(offset: number, instead: Partial<Decision> = {}): Decision {
  const producedAt = PRODUCED_AT + offset;
  const iso = (millis: number) => new Date(millis).toISOString();
  return {
    id: `content-0-${offset}`,
    customer: 'acme',
    content_id: `post-${offset}`,
    user_id: 'u1',
    content_type: 'comment',
    language: 'en',
    action: 'block',
    reasons: [{ label: 'toxic', score: 0.9812, threshold: 0.95 }],
    scores: { toxic: 0.9812, spam: 0.0103 },
    model: 'default@1',
    policy: 'default@1',
    created_at: iso(producedAt - 1000),
    produced_at: iso(producedAt),
    received_at: iso(producedAt + 5),
    decided_at: iso(producedAt + 25),
    version: versionOf({ producedAt, receivedAt: producedAt, partition: 0, offset }),
    position: { topic: 'content', partition: 0, offset },
    timings: { wait: 1, decode: 2, classify: 10 },
    ...instead,
  };
}

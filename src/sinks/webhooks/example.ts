import { versionOf, type Decision } from '../../decision.ts';
import { createAddressCheck } from './address.ts';
import { createAgent } from './agent.ts';
import type { EndpointConfig, WebhooksConfig } from './config.ts';
import { messageOf } from './message.ts';
import type { Answer } from './post.ts';
import { sendWebhook } from './send.ts';

/** Sends an example decision to an endpoint, signed as a real one, past its queue. */
export async function sendExample(
  endpoint: EndpointConfig,
  { allow_private, text }: WebhooksConfig,
): Promise<{ readonly id: string; readonly answer: Answer }> {
  const agent = createAgent({ isAllowed: createAddressCheck(allow_private || []) });
  const message = messageOf([exampleDecision(Date.now(), text)], { batched: endpoint.batch.size > 1 });
  try {
    const answer = await sendWebhook({
      message,
      endpoint,
      dispatcher: agent,
      signal: new AbortController().signal,
    });
    return { id: message.id, answer };
  } finally {
    await agent.destroy();
  }
}

/** Its topic, `sluice-example`, tells it from real ones; `at`: milliseconds UTC. */
function exampleDecision(at: number, withText: boolean): Decision {
  const now = new Date(at).toISOString();
  return {
    id: `sluice-example-0-${at}`,
    customer: 'example',
    content_id: 'example',
    user_id: 'example',
    content_type: 'comment',
    language: 'en',
    action: 'block',
    reasons: [{ label: 'toxic', score: 0.97, threshold: 0.95 }],
    scores: { toxic: 0.97 },
    model: 'example@1',
    policy: 'example@1',
    created_at: now,
    produced_at: now,
    received_at: now,
    decided_at: now,
    version: versionOf({ producedAt: at, receivedAt: at, partition: 0, offset: at }),
    position: { topic: 'sluice-example', partition: 0, offset: at },
    timings: { wait: 0, decode: 0, classify: 0 },
    ...(withText ? { text: 'An example.' } : {}),
  };
}

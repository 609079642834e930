import { createHmac } from 'node:crypto';

/** The headers by which a receiver knows that a webhook is genuine, new, and which one it is. */
export interface SignatureHeaders {
  readonly 'webhook-id': string;
  readonly 'webhook-timestamp': string;
  readonly 'webhook-signature': string;
}

/**
 * Signs a webhook by Standard Webhooks: HMAC-SHA256 over `id.timestamp.body`, base64, as `v1,…`; one signature for each key, in
 * their order. `at`: time of the attempt, milliseconds UTC. Body: exactly the bytes that are sent, as UTF-8.
 */
export function signatureHeaders(options: {
  readonly id: string;
  readonly at: number;
  readonly body: string;
  readonly keys: readonly Uint8Array[];
}): SignatureHeaders {
  const { id, at, body, keys } = options;
  const timestamp = String(Math.floor(at / 1000));
  const signatures = keys.map(
    (key) => `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`,
  );
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures.join(' ') };
}

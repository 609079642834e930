import { readFileSync } from 'node:fs';
import type { Dispatcher } from 'undici';
import type { EndpointConfig } from './config.ts';
import type { WebhookMessage } from './message.ts';
import { post, type Answer } from './post.ts';
import { secretKey } from './secret.ts';
import { signatureHeaders } from './sign.ts';

const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

/** Signs a webhook for this moment and sends it once. Never throws; see {@link post}. */
export function sendWebhook(options: {
  readonly message: WebhookMessage;
  readonly endpoint: EndpointConfig;
  readonly dispatcher: Dispatcher;
  readonly signal: AbortSignal;
}): Promise<Answer> {
  const { message, endpoint, dispatcher, signal } = options;
  const keys = endpoint.secrets.flatMap((secret) => secretKey(secret) ?? []);
  return post({
    url: endpoint.url,
    dispatcher,
    headers: {
      'user-agent': `sluice/${version}`,
      accept: '*/*',
      ...endpoint.headers,
      'content-type': 'application/json',
      ...signatureHeaders({ ...message, at: Date.now(), keys }),
    },
    body: message.body,
    timeout: endpoint.timeout,
    signal,
  });
}

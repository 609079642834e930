import type { KafkaSourceConfig } from './config.ts';

/** Which topics are read: names, or whatever matches. */
export type Subscription = { readonly topics: readonly string[] } | { readonly pattern: RegExp };

/** What the configuration subscribes to. */
export function subscriptionOf({ topics, pattern }: KafkaSourceConfig): Subscription {
  return pattern === undefined ? { topics: topics ?? [] } : { pattern: new RegExp(pattern, 'u') };
}

import type { KafkaSourceConfig } from './config.ts';

/** Which topics are read: those of these names, and whatever matches. */
export interface Subscription {
  readonly topics: readonly string[];
  readonly pattern?: RegExp;
}

/** What the configuration subscribes to; `beside`: topics that are read beside those of the source. */
export function subscriptionOf(
  { topics = [], pattern }: Pick<KafkaSourceConfig, 'topics' | 'pattern'>,
  beside: readonly string[] = [],
): Subscription {
  return {
    topics: [...new Set([...topics, ...beside])],
    ...(pattern === undefined ? {} : { pattern: new RegExp(pattern, 'u') }),
  };
}

/** Whether a topic is read. */
export function isSubscribed({ topics, pattern }: Subscription, topic: string): boolean {
  return topics.includes(topic) || (pattern?.test(topic) ?? false);
}

import { kafkaOf } from '../adapters.ts';
import type { Config } from '../config.ts';
import type { Events } from '../events.ts';
import { createDecisionTarget } from './decision-target.ts';
import { createLineTarget } from './line-target.ts';
import { createMessageTarget } from './message-target.ts';
import type { TopicFacts } from './plan.ts';
import type { Targets } from './resend.ts';
import { createTopicLookup } from './topic-facts.ts';

/** Everything that letters may go to. */
export interface OpenTargets {
  readonly targets: Targets;
  /** Of a topic that messages would go to; throws MisconfiguredError for one that does not exist. */
  factsOf(topic: string): Promise<TopicFacts>;
  close(): Promise<void>;
}

/**
 * The targets of a configuration; each is opened when it is first needed, so that what no letter goes to may be away, or not
 * configured. `out`: the file for messages, where there is one. When `signal` is aborted, sinks are waited for no more.
 */
export function openTargets(
  config: Config,
  events: Events,
  { out, signal }: { readonly out: string | undefined; readonly signal: AbortSignal },
): OpenTargets {
  const kafka = () => kafkaOf(config, 'redrive to topics');
  const lookup = once(() => createTopicLookup(kafka()));
  const messages = once(() => createMessageTarget(kafka()));
  const decision = createDecisionTarget(config, events, signal);
  const line = createLineTarget(out ?? '');
  return {
    targets: { message: { send: (planned) => messages.get().send(planned) }, decision, line },
    factsOf: (topic) => lookup.get().factsOf(topic),
    async close() {
      for (const each of [lookup.made(), messages.made(), decision, line]) await each?.close();
    },
  };
}

/** Something that is made when it is first needed. */
function once<Thing>(make: () => Thing): { get(): Thing; made(): Thing | undefined } {
  let thing: Thing | undefined;
  return { get: () => (thing ??= make()), made: () => thing };
}

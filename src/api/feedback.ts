import type { FeedbackKind } from '../types.ts';
import type { JsonObject } from './body.ts';
import { ACTORS, feedbackBodies, type FeedbackBody } from './bodies.ts';
import { keyOf, refuseOtherCustomer } from './content.ts';
import { HttpRefusal } from './http-refusal.ts';
import { reasonsOf, required } from './reasons.ts';
import type { OutRecord } from './batching-producer.ts';

/** A request to track feedback, checked: a record for each content that it is about. */
export interface TrackedFeedback {
  readonly id: string;
  readonly records: readonly OutRecord[];
}

/** Properties of a feedback message that the API fills in. */
const OWN = ['kind', 'content_id', 'actor_id'];

/**
 * The records of a feedback body, in the shape of feedback messages (docs/messages.md). Everything in the body is kept;
 * `customer` is the key's. Throws HttpRefusal: 422 for a body that is no such feedback, 403 for one that names another customer.
 */
export function trackFeedback(
  kind: FeedbackKind,
  body: JsonObject,
  { customer, topic }: { readonly customer: string; readonly topic: string },
): TrackedFeedback {
  const result = feedbackBodies[kind].safeParse(body, { reportInput: true });
  const reasons = [...(result.success ? [] : reasonsOf(result.error)), ...contradictionsOf(body)];
  if (!result.success || reasons.length > 0) throw new HttpRefusal(422, reasons);
  const data = result.data as FeedbackBody;
  refuseOtherCustomer(body, customer);

  const actor = ACTORS[kind];
  const { targets: manyRaw, target: oneRaw, [actor]: _actor, ...rest } = body;
  const shared = { ...rest, id: data.id, kind, customer, actor_id: data[actor] };
  const targets = data.targets ?? [data.target!];
  // As they came: the checked ones are copies that may lack a property named `__proto__`.
  const raw = (data.targets ? manyRaw : [oneRaw]) as readonly JsonObject[];
  return {
    id: data.id,
    records: targets.map(({ content_id }, index) => {
      const { content_id: _id, ...others } = raw[index]!;
      const more = Object.keys(others).length > 0 ? { target: others } : {};
      return {
        topic,
        key: keyOf(customer, content_id),
        value: JSON.stringify({ ...shared, content_id, ...more }),
        headers: { customer },
      };
    }),
  };
}

/** What is wrong between properties of a body, and no schema of one of them says. */
function contradictionsOf(body: JsonObject): string[] {
  const has = (name: string) => body[name] !== undefined;
  return [
    ...(has('targets') || has('target') ? [] : [required('targets')]),
    ...(has('targets') && has('target') ? ['Property target was not expected beside targets.'] : []),
    ...OWN.filter((name) => Object.hasOwn(body, name)).map((name) => `Property ${name} was not expected.`),
  ];
}

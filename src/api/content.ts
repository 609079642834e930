import type { JsonObject } from './body.ts';
import { contentBody } from './bodies.ts';
import { HttpRefusal } from './http-refusal.ts';
import { reasonsOf } from './reasons.ts';
import type { OutRecord } from './batching-producer.ts';

/** How a content message names its fields: the presets of ingest (docs/messages.md) that the API can write for. */
export type ContentShape = 'sluice' | 'koko';

/** A request to track content, checked. */
export interface TrackedContent {
  readonly id: string;
  readonly record: OutRecord;
  /** Labels to answer with; undefined when the body asks for none. */
  readonly classifiers: readonly string[] | undefined;
}

/**
 * The record of a content body. Everything in the body is kept; `customer` is the key's. In the shape `sluice`, the text is
 * moved from `content.text` to `text`. Throws HttpRefusal: 422 for a body that is no content, 403 for one that names
 * another customer.
 */
export function trackContent(
  body: JsonObject,
  {
    customer,
    topic,
    shape,
  }: { readonly customer: string; readonly topic: string; readonly shape: ContentShape },
): TrackedContent {
  const result = contentBody.safeParse(body, { reportInput: true });
  if (!result.success) throw new HttpRefusal(422, reasonsOf(result.error));
  refuseOtherCustomer(body, customer);
  const { id, options, content } = result.data;
  return {
    id,
    classifiers: options?.classifiers ?? undefined,
    record: {
      topic,
      key: keyOf(customer, id),
      value: JSON.stringify({ ...messageOf(body, content.text, shape), id, customer }),
      headers: { customer },
    },
  };
}

function messageOf(body: JsonObject, text: string, shape: ContentShape): JsonObject {
  if (shape === 'koko') return body;
  if (Object.hasOwn(body, 'text'))
    throw new HttpRefusal(422, ['Property text was not expected beside content.text.']);
  const { content, ...rest } = body;
  const { text: _moved, ...others } = content as JsonObject;
  return { ...rest, text, ...(Object.keys(others).length > 0 ? { content: others } : {}) };
}

/** All records on one content have one key, so that they come in order; a customer's own ids cannot meet another's. */
export function keyOf(customer: string, contentId: string): string {
  return `${customer}/${contentId}`;
}

/** A body may name the customer whose key it comes with, and no other. */
export function refuseOtherCustomer(body: JsonObject, customer: string): void {
  if (Object.hasOwn(body, 'customer') && body['customer'] !== customer)
    throw new HttpRefusal(403, ['Property customer was not the customer of the key.']);
}

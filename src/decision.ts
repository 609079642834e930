import { z } from 'zod';
import { ACTIONS } from './types.ts';

const time = () => z.iso.datetime();
const milliseconds = () => z.number().min(0);

/**
 * What is told about one row: the value of a record of the decisions topic, the data of a webhook. The one definition of
 * its type and of docs/decision.schema.json. Fields are only ever added.
 */
export const decisionSchema = z
  .object({
    id: z
      .string()
      .describe(
        '`topic-partition-offset` of the message: the same however often it is told; drop repeats by it',
      ),
    customer: z.string().describe('Customer as the message named it'),
    content_id: z.string().describe("The producer's id of the content; the decision's id where it gave none"),
    user_id: z.string().nullable().describe('Author of the content'),
    content_type: z.string().nullable().describe('Kind of content, such as `comment`'),
    language: z.string().nullable().describe('BCP 47 tag: as the message says, else as detected'),
    action: z.enum(ACTIONS).describe('What to do with the content'),
    reasons: z
      .array(
        z.strictObject({
          label: z.string(),
          score: z.number().min(0).max(1),
          threshold: z.number().min(0).max(1).describe('The threshold of the policy that the score reached'),
        }),
      )
      .describe(
        'Labels that led to the action, worst first, or the one fact that did: a hash list, `unsupported_language` (also with `allow`), with score and threshold 1',
      ),
    scores: z
      .record(z.string(), z.number().min(0).max(1))
      .describe('All labels that were scored, four decimals'),
    model: z
      .string()
      .nullable()
      .describe('Models that scored, as `name@version`, joined by commas; null when none did'),
    policy: z.string().nullable().describe('Policy that decided, with its version'),
    created_at: time()
      .nullable()
      .describe('Event time, as the message says; null outside the years 1 to 9999'),
    produced_at: time().nullable().describe('Time stamp of the message in its topic'),
    received_at: time().describe('When Sluice read the message'),
    decided_at: time().describe('When the decision was made'),
    version: z
      .string()
      .describe(
        'Of two decisions on one content the one with the greater text is the newer, in whatever order they arrive: `milliseconds-offset-partition` of the message',
      ),
    position: z
      .strictObject({ topic: z.string(), partition: z.int().min(0), offset: z.int().min(0) })
      .describe('Where the message stands'),
    timings: z
      .strictObject({
        wait: milliseconds().describe('From its receipt until a worker took it'),
        decode: milliseconds().describe('Decoding its batch'),
        classify: milliseconds().describe('Scoring and deciding its batch'),
      })
      .describe('Milliseconds by stage'),
    text: z.string().optional().describe('The text that was moderated, where a sink is told it'),
  })
  .describe('A decision of Sluice on one message');

/** One decision; snake_case, since the object is what is written as JSON. */
export type Decision = z.infer<typeof decisionSchema>;

/**
 * The decision as JSON Schema (draft 2020-12): docs/decision.schema.json. Open: whoever holds records against it must still
 * take them when a later version adds fields.
 */
export function decisionJsonSchema(): object {
  return z.toJSONSchema(decisionSchema, {
    override({ jsonSchema }) {
      if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
    },
  });
}

/** A message's time stamp may be so much later than its receipt: wrong time zones still count, a clock set to 2100 does not. */
const MAX_AHEAD_MILLIS = 2 * 86_400_000;

/**
 * The text by which decisions on one content are ordered: time stamp of the message (15 digits, milliseconds UTC), then its
 * offset (16), then its partition (6), so that two messages of a topic never have the same.
 *
 * Without a time stamp, and with one more than two days later than its receipt, the milliseconds are 0: such a message is older
 * than all others, and never keeps what follows it from being told. That is not the time of its receipt, which is another in
 * each replay; with 0 the version is the same until that date has nearly come, and only greater from then on.
 */
export function versionOf({
  producedAt,
  receivedAt,
  partition,
  offset,
}: {
  /** Milliseconds UTC; NaN where the message has none. */
  readonly producedAt: number;
  /** Milliseconds UTC. */
  readonly receivedAt: number;
  readonly partition: number;
  readonly offset: number;
}): string {
  const isTime = producedAt > 0 && producedAt <= receivedAt + MAX_AHEAD_MILLIS;
  const digits = (value: number, width: number) => String(Math.trunc(value)).padStart(width, '0');
  return [digits(isTime ? producedAt : 0, 15), digits(offset, 16), digits(partition, 6)].join('-');
}

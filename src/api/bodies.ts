import { z } from 'zod';
import type { FeedbackKind } from '../types.ts';

/** Property of a body that names who gave the feedback. */
export const ACTORS: Readonly<Record<FeedbackKind, string>> = {
  flag: 'flagger_id',
  moderation: 'moderator_id',
  appeal: 'appellant_id',
};

/** Most contents that one piece of feedback is about. */
const MAX_TARGETS = 100;

/** Numbers that {@link readBody} kept as text, and others, are ids by their digits. */
function textual(value: unknown): unknown {
  if (JSON.isRawJSON(value)) return value.rawJSON;
  return typeof value === 'number' ? String(value) : value;
}

/** Of an object that is missing, what is missing in it is said at once. */
function orEmpty(value: unknown): unknown {
  return value ?? {};
}

// A lone surrogate has no UTF-8: it would be another id in the archive than in the answer.
// PostgreSQL has no text with NUL.
const idText = z
  .string()
  .refine((text) => text.isWellFormed(), 'was not well-formed Unicode')
  .refine((text) => !text.includes('\0'), 'had a NUL character');
const id = (what: string) => z.preprocess(textual, idText.min(1).max(512)).describe(what);
const optionalId = (what: string) => z.preprocess(textual, idText.max(512).nullish()).describe(what);
const createdAt = z
  .preprocess(textual, z.string().nullish())
  .describe('When it happened: ISO 8601, or a number since 1970 (s, ms, µs or ns); default: now');

/** Body of `POST /track/content`. Other properties are kept as metadata. */
export const contentBody = z
  .looseObject({
    id: id('Id of the content; feedback names it'),
    type: z.string().min(1).describe('Kind of content, such as `post`'),
    content: z
      .preprocess(
        orEmpty,
        z.looseObject({
          text: z.string().min(1).describe('The text to moderate'),
          format: z.string().nullish().describe('Format of the text, such as `plain`'),
        }),
      )
      .describe('The content'),
    user_id: optionalId('Who wrote it'),
    content_type: z.string().nullish().describe('Kind of `content`: `text`'),
    context_id: optionalId('What it belongs to, such as a thread'),
    group_id: optionalId('What it belongs to, such as a group'),
    created_at: createdAt,
    options: z
      .looseObject({
        classifiers: z
          .array(z.string().min(1))
          .max(100)
          .nullish()
          .describe('Labels to answer with; the answer waits for them'),
      })
      .nullish()
      .describe('What the answer is to hold'),
  })
  .describe('Content to moderate');

const target = z.looseObject({ content_id: id('Id of the content, as /track/content named it') });

function feedbackBody<Shape extends z.ZodRawShape>(kind: FeedbackKind, shape: Shape) {
  return z.looseObject({
    id: id(`Id of the ${kind}; several targets share it`),
    [ACTORS[kind]]: id(`Who made the ${kind}`),
    reasons: z.array(z.string()).max(100).nullish().describe('Why, such as labels'),
    targets: z.array(target).min(1).max(MAX_TARGETS).optional().describe('The contents that it is about'),
    target: target.optional().describe('The content that it is about, instead of `targets`'),
    note: z.string().nullish().describe('Remark in free text'),
    created_at: createdAt,
    ...shape,
  });
}

/** Bodies of `POST /track/flag`, `/track/moderation` and `/track/appeal`. Other properties are kept as metadata. */
export const feedbackBodies = {
  flag: feedbackBody('flag', {}).describe('A user reports content'),
  moderation: feedbackBody('moderation', {
    action: z.string().min(1).describe('What was done, such as `user_warned`'),
    automated: z.boolean().nullish().describe('Whether no human decided'),
  }).describe('A moderator, or a rule, acted on content'),
  appeal: feedbackBody('appeal', {}).describe('A user objects to what was done'),
} satisfies Record<FeedbackKind, z.ZodType>;

/** What all feedback bodies have, checked. */
export interface FeedbackBody {
  readonly id: string;
  readonly targets?: readonly (Readonly<Record<string, unknown>> & { readonly content_id: string })[];
  readonly target?: Readonly<Record<string, unknown>> & { readonly content_id: string };
  readonly [property: string]: unknown;
}

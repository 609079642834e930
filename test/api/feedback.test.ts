import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readBody } from '../../src/api/body.ts';
import { trackFeedback } from '../../src/api/feedback.ts';
import { HttpRefusal } from '../../src/api/http-refusal.ts';
import { ingestConfig } from '../../src/ingest/config.ts';
import { createExaminers } from '../../src/ingest/index.ts';
import { FEEDBACK_KINDS, type FeedbackKind } from '../../src/types.ts';

const BODIES = {
  flag: { id: 'f1', flagger_id: 'u9', reasons: ['crisis'], targets: [{ content_id: '123' }] },
  moderation: {
    id: 'm1',
    moderator_id: 'mod',
    action: 'user_warned',
    automated: false,
    targets: [{ content_id: '123' }],
  },
  appeal: { id: 'a1', appellant_id: 'u1', note: 'it was a quote', targets: [{ content_id: '123' }] },
};
const ACTOR = { flag: 'flagger_id', moderation: 'moderator_id', appeal: 'appellant_id' };
const track = (kind: FeedbackKind, body: object | string) =>
  trackFeedback(kind, readBody(Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))), {
    customer: 'acme',
    topic: 'feedback',
  });
const refusal = (kind: FeedbackKind, body: object) => {
  try {
    return track(kind, body);
  } catch (error) {
    if (error instanceof HttpRefusal) return { status: error.status, reasons: error.reasons };
    throw error;
  }
};

describe('feedback', () => {
  it('becomes a message of its kind', () => {
    expect(track('moderation', { ...BODIES.moderation, reasons: ['abusive'], queue: 7 })).toEqual({
      id: 'm1',
      records: [
        {
          topic: 'feedback',
          key: 'acme/123',
          headers: { customer: 'acme' },
          value: JSON.stringify({
            id: 'm1',
            action: 'user_warned',
            automated: false,
            reasons: ['abusive'],
            queue: 7,
            kind: 'moderation',
            customer: 'acme',
            actor_id: 'mod',
            content_id: '123',
          }),
        },
      ],
    });
  });

  it.each(FEEDBACK_KINDS)('%s: one message for each target, all with its id', (kind) => {
    const targets = [{ content_id: '1' }, { content_id: 22345678901234567890n, why: 'quoted' }];
    const text = JSON.stringify({ ...BODIES[kind], targets }, (_, value: unknown) =>
      typeof value === 'bigint' ? JSON.rawJSON(String(value)) : value,
    );
    const { records } = track(kind, text);
    expect(records.map(({ key }) => key)).toEqual(['acme/1', 'acme/22345678901234567890']);
    expect(records.map(({ value }) => JSON.parse(value))).toMatchObject([
      { id: BODIES[kind].id, kind, content_id: '1' },
      { id: BODIES[kind].id, kind, content_id: '22345678901234567890', target: { why: 'quoted' } },
    ]);
  });

  it.each(FEEDBACK_KINDS)('%s: is a row of the feedback table, of the key’s customer', (kind) => {
    const look = createExaminers(ingestConfig.parse({})).feedback;
    const more = fc.record(
      {
        reasons: fc.array(fc.string()),
        note: fc.string({ unit: 'grapheme' }),
        created_at: fc.constantFrom('2026-01-05T10:00:00Z', 1498070225.5, null),
        automated: fc.option(fc.boolean()),
        x: fc.jsonValue({ maxDepth: 3 }),
      },
      { requiredKeys: [] },
    );
    const id = fc.oneof(fc.nat(), fc.string({ minLength: 1 }));
    fc.assert(
      fc.property(more, fc.array(id, { minLength: 1, maxLength: 5 }), (extra, ids) => {
        const targets = ids.map((content_id) => ({ content_id }));
        const { records } = track(kind, { ...BODIES[kind], ...extra, targets });
        for (const [index, { key, value }] of records.entries())
          expect(look({ key: Buffer.from(key), value: Buffer.from(value), headers: null })).toEqual({
            kind: 'row',
            customer: 'acme',
            contentId: String(ids[index]),
            text: null,
          });
      }),
    );
  });

  it('takes a single target, too, as Koko’s first clients have it', () => {
    const { targets: _, ...rest } = BODIES.flag;
    const { records } = track('flag', { ...rest, target: { content_id: '5' } });
    expect(records.map(({ key }) => key)).toEqual(['acme/5']);
    expect(refusal('flag', { ...BODIES.flag, target: { content_id: '5' } })).toMatchObject({ status: 422 });
  });

  it.each(FEEDBACK_KINDS)('%s: needs its id, its actor and its targets', (kind) => {
    for (const name of ['id', ACTOR[kind], 'targets'])
      expect(refusal(kind, { ...BODIES[kind], [name]: undefined })).toEqual({
        status: 422,
        reasons: [`Required property ${name} was not present.`],
      });
    expect(refusal(kind, { ...BODIES[kind], targets: [{}] })).toEqual({
      status: 422,
      reasons: ['Required property targets.0.content_id was not present.'],
    });
    expect(refusal(kind, { ...BODIES[kind], targets: [] })).toMatchObject({ status: 422 });
    const many = Array.from({ length: 101 }, (_, n) => ({ content_id: n }));
    expect(refusal(kind, { ...BODIES[kind], targets: many })).toEqual({
      status: 422,
      reasons: ['Property targets had more than 100 entries.'],
    });
  });

  it.each(FEEDBACK_KINDS)('%s: refuses ids that the archive could not have', (kind) => {
    const broken = {
      ...BODIES[kind],
      id: '\udc00',
      [ACTOR[kind]]: '\ud800',
      targets: [{ content_id: '\ud800x' }],
    };
    const names = ['id', ACTOR[kind], 'targets.0.content_id'];
    expect(refusal(kind, broken)).toEqual({
      status: 422,
      reasons: names.map((name) => `Property ${name} was not well-formed Unicode.`),
    });
  });

  it('says everything that is wrong at once', () => {
    expect(refusal('flag', { id: 'f1' })).toEqual({
      status: 422,
      reasons: ['flagger_id', 'targets'].map((name) => `Required property ${name} was not present.`),
    });
    expect(refusal('appeal', { ...BODIES.appeal, id: '', target: { content_id: '5' }, kind: 'x' })).toEqual({
      status: 422,
      reasons: [
        'Property id was empty.',
        'Property target was not expected beside targets.',
        'Property kind was not expected.',
      ],
    });
  });

  it.each(FEEDBACK_KINDS)('%s: refuses ids with NUL, which databases could not have', (kind) => {
    const broken = { ...BODIES[kind], id: 'a\0', [ACTOR[kind]]: '\0', targets: [{ content_id: '\0x' }] };
    const names = ['id', ACTOR[kind], 'targets.0.content_id'];
    expect(refusal(kind, broken)).toEqual({
      status: 422,
      reasons: names.map((name) => `Property ${name} had a NUL character.`),
    });
  });

  it('needs an action of a moderation only', () => {
    expect(refusal('moderation', { ...BODIES.moderation, action: undefined })).toMatchObject({
      reasons: ['Required property action was not present.'],
    });
  });

  it.each(['kind', 'content_id', 'actor_id'])('refuses %s, which it fills in itself', (name) => {
    expect(refusal('flag', { ...BODIES.flag, [name]: 'x' })).toEqual({
      status: 422,
      reasons: [`Property ${name} was not expected.`],
    });
  });

  it('refuses another customer than the key’s', () => {
    expect(refusal('flag', { ...BODIES.flag, customer: 'beta' })).toMatchObject({ status: 403 });
  });
});

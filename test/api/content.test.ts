import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readBody } from '../../src/api/body.ts';
import { trackContent, type ContentShape } from '../../src/api/content.ts';
import { HttpRefusal } from '../../src/api/http-refusal.ts';
import { createExaminers } from '../../src/ingest/index.ts';
import { ingestConfig } from '../../src/ingest/config.ts';

const BODY = { id: '123', type: 'post', content: { text: 'Some content', format: 'plain' } };
const track = (body: object, shape: ContentShape = 'sluice') =>
  trackContent(readBody(Buffer.from(JSON.stringify(body))), { customer: 'acme', topic: 'content', shape });
const refusal = (body: object, shape?: ContentShape) => {
  try {
    return track(body, shape);
  } catch (error) {
    if (error instanceof HttpRefusal) return { status: error.status, reasons: error.reasons };
    throw error;
  }
};
const look = (record: ReturnType<typeof track>['record'], shape: ContentShape) =>
  createExaminers(ingestConfig.parse({ preset: shape })).content({
    key: Buffer.from(record.key),
    value: Buffer.from(record.value),
    headers: Object.entries(record.headers).map(([name, value]) => ({ name, value: Buffer.from(value) })),
  });

describe('content', () => {
  it('becomes a message in the shape that ingest reads by default', () => {
    const { id, record, classifiers } = track({
      ...BODY,
      user_id: 'u1',
      content_type: 'text',
      context_id: 'thread-1',
      created_at: '2026-01-05T10:00:00Z',
      options: { classifiers: ['crisis'] },
      extra: { deep: [1, null] },
    });
    expect([id, classifiers]).toEqual(['123', ['crisis']]);
    expect(record).toMatchObject({ topic: 'content', key: 'acme/123', headers: { customer: 'acme' } });
    expect(JSON.parse(record.value)).toEqual({
      id: '123',
      customer: 'acme',
      text: 'Some content',
      content: { format: 'plain' },
      type: 'post',
      user_id: 'u1',
      content_type: 'text',
      context_id: 'thread-1',
      created_at: '2026-01-05T10:00:00Z',
      options: { classifiers: ['crisis'] },
      extra: { deep: [1, null] },
    });
  });

  it('is the body as it came for the preset koko', () => {
    expect(JSON.parse(track(BODY, 'koko').record.value)).toEqual({ ...BODY, customer: 'acme' });
  });

  it('loses no digit of an id or of anything else', () => {
    const text = '{"id":12345678901234567890,"type":"post","content":{"text":"x"},"price":1.10}';
    const body = readBody(Buffer.from(text));
    const { id, record } = trackContent(body, { customer: 'acme', topic: 'content', shape: 'sluice' });
    expect([id, record.key]).toEqual(['12345678901234567890', 'acme/12345678901234567890']);
    expect(record.value).toContain('"price":1.10');
    expect(record.value).toContain('"id":"12345678901234567890"');
  });

  it.each(['sluice', 'koko'] as const)(
    'keeps everything in the body and is a row of the key’s customer: %s',
    (shape) => {
      const extra = fc.dictionary(
        fc.string({ minLength: 1 }).map((name) => `x_${name}`),
        fc.jsonValue({ maxDepth: 3 }),
      );
      fc.assert(
        fc.property(extra, fc.string({ minLength: 1, unit: 'grapheme' }), (more, text) => {
          const { record } = track({ ...BODY, ...more, content: { ...BODY.content, text } }, shape);
          expect(JSON.parse(record.value)).toMatchObject(JSON.parse(JSON.stringify(more)) as object);
          expect(look(record, shape)).toEqual({ kind: 'row', customer: 'acme', contentId: '123', text });
        }),
      );
    },
  );

  it.each([
    ['type', 'Required property type was not present.'],
    ['id', 'Required property id was not present.'],
    ['content', 'Required property content.text was not present.'],
  ])('needs %s', (name, reason) => {
    expect(refusal({ ...BODY, [name]: undefined })).toEqual({ status: 422, reasons: [reason] });
    expect(refusal({ ...BODY, [name]: null })).toEqual({ status: 422, reasons: [reason] });
  });

  it('says everything that is missing', () => {
    expect(refusal({})).toEqual({
      status: 422,
      reasons: ['id', 'type', 'content.text'].map((name) => `Required property ${name} was not present.`),
    });
    expect(refusal({ ...BODY, content: 'text' })).toMatchObject({
      reasons: ['Property content was not of type object.'],
    });
  });

  it('says everything that is wrong, and never what was sent', () => {
    expect(
      refusal({
        id: '',
        type: 7,
        content: { text: '' },
        user_id: ['secret'],
        options: { classifiers: [''] },
      }),
    ).toEqual({
      status: 422,
      reasons: [
        'Property id was empty.',
        'Property type was not of type string.',
        'Property content.text was empty.',
        'Property user_id was not of type string.',
        'Property options.classifiers.0 was empty.',
      ],
    });
  });

  it('refuses an id that the archive could not have, and keeps one of any other characters', () => {
    for (const name of ['id', 'user_id', 'context_id', 'group_id'])
      for (const [value, reason] of [
        ['a\ud800', 'was not well-formed Unicode'],
        ['a\0', 'had a NUL character'],
      ])
        expect(refusal({ ...BODY, [name]: value })).toEqual({
          status: 422,
          reasons: [`Property ${name} ${reason}.`],
        });
    expect(refusal({ ...BODY, id: 'a\u{1f600}' })).toMatchObject({ id: 'a\u{1f600}' });
  });

  it('refuses another customer than the key’s', () => {
    expect(refusal({ ...BODY, customer: 'beta' })).toMatchObject({ status: 403 });
    expect(refusal({ ...BODY, customer: 'acme' })).toMatchObject({ id: '123' });
  });

  it('refuses a second text, which would take the place of the first', () => {
    expect(refusal({ ...BODY, text: 'harmless' })).toMatchObject({ status: 422 });
  });
});

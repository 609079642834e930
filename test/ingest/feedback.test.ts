import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { configFrom } from '../../src/config.ts';
import { ingestConfig } from '../../src/ingest/config.ts';
import { createFeedbackDecoder } from '../../src/ingest/feedback.ts';
import { isSubscribed, subscriptionOf } from '../../src/ingest/subscription.ts';
import { FEEDBACK_KINDS } from '../../src/types.ts';
import { RECEIVED_AT, rawBatch } from './raw-batch.ts';

type Input = Parameters<typeof ingestConfig.parse>[0];

function decode(
  values: Parameters<typeof rawBatch>[0],
  config: Input = {},
  more: Parameters<typeof rawBatch>[1] = {},
) {
  return createFeedbackDecoder(ingestConfig.parse(config))(rawBatch(values, more));
}

/** Decodes one message that must become a row. */
function one(value: string | object, config: Input = {}, more: Parameters<typeof rawBatch>[1] = {}) {
  const batch = decode([typeof value === 'string' ? value : JSON.stringify(value)], config, more);
  expect(batch.deadLetters).toEqual([]);
  expect(batch.rows).toBe(1);
  return {
    id: batch.feedbackId[0],
    kind: FEEDBACK_KINDS[batch.kind[0]!],
    customer: batch.customer[0],
    content: batch.contentId[0],
    actor: batch.actorId[0],
    action: batch.action[0],
    reasons: batch.reasons[0],
    automated: batch.automated[0],
    note: batch.note[0],
    createdAt: batch.createdAt[0],
    metadata: batch.metadata[0],
  };
}

/** Code and detail of one message that must become a dead letter. */
function refused(value: string | object, config: Input = {}): readonly [string, string] {
  const { rows, deadLetters } = decode([typeof value === 'string' ? value : JSON.stringify(value)], config);
  expect([rows, deadLetters.length]).toEqual([0, 1]);
  const [{ stage, code, detail }] = deadLetters as [(typeof deadLetters)[number]];
  expect(stage).toBe('decode');
  return [code, detail];
}

const FLAG = { kind: 'flag', customer: 'acme', content_id: 'p1' };

describe('createFeedbackDecoder: columns', () => {
  it('a whole message', () => {
    const message = {
      id: 'f1',
      kind: 'moderation',
      customer: 'acme',
      content_id: 'p1',
      actor_id: 'm7',
      action: 'user_warned',
      reasons: ['hate', 'spam'],
      automated: false,
      note: 'second time 👋',
      created_at: '2026-02-28T12:00:00.5Z',
      metadata: { queue: 'de', depth: 3 },
      case: { id: 9 },
    };
    expect(one(message)).toEqual({
      id: 'f1',
      kind: 'moderation',
      customer: 'acme',
      content: 'p1',
      actor: 'm7',
      action: 'user_warned',
      reasons: ['hate', 'spam'],
      automated: false,
      note: 'second time 👋',
      createdAt: Date.UTC(2026, 1, 28, 12) * 1000 + 500_000,
      metadata: ['case', '{"id":9}', 'queue', 'de', 'depth', '3'],
    });
  });

  it.each(FEEDBACK_KINDS)('the kind %s', (kind) => expect(one({ ...FLAG, kind }).kind).toBe(kind));

  it('fills what is missing: position id, receipt time, nothing', () => {
    const none = { actor: null, action: null, reasons: null, automated: null, note: null, metadata: null };
    expect(one(FLAG)).toEqual({
      id: 'posts-3-0',
      kind: 'flag',
      customer: 'acme',
      content: 'p1',
      createdAt: RECEIVED_AT * 1000,
      ...none,
    });
    const empty = { id: '', actor_id: null, action: '', reasons: null, automated: null, note: '' };
    expect(one({ ...FLAG, ...empty, metadata: null })).toMatchObject({ id: 'posts-3-0', ...none });
    const timestamps = Float64Array.of(RECEIVED_AT - 5000);
    expect(one(FLAG, {}, { timestamps }).createdAt).toBe((RECEIVED_AT - 5000) * 1000);
  });

  it('keeps every digit of ids, and what is not known as metadata', () => {
    const text =
      '{"kind":"flag","customer":12345678901234567890,"content_id":9007199254740993,"actor_id":7,"x":1e400}';
    expect(one(text)).toMatchObject({
      customer: '12345678901234567890',
      content: '9007199254740993',
      actor: '7',
      metadata: ['x', '1e400'],
    });
    expect(one({ ...FLAG, targets: [{ content_id: 'p1' }], text: 't' }).metadata).toEqual([
      'targets',
      '[{"content_id":"p1"}]',
      'text',
      't',
    ]);
  });

  it('the customer may come in a header, whatever the preset of content says', () => {
    const headers = [{ customer: Buffer.from('acme') }];
    const value = { kind: 'appeal', content_id: 'p1' };
    expect(one(value, { preset: 'debezium', fields: { customer: '=other' } }, { headers }).customer).toBe(
      'acme',
    );
  });

  it('lone surrogates become U+FFFD in every text', () => {
    const lone = String.raw`"\ud800"`;
    const text = `{"id":${lone},"kind":"flag","customer":${lone},"content_id":${lone},"actor_id":${lone},"action":${lone},"reasons":[${lone}],"note":${lone},"x":${lone}}`;
    const row = one(text);
    for (const value of [row.id, row.customer, row.content, row.actor, row.action, row.note])
      expect(value).toBe('\ufffd');
    expect([row.reasons, row.metadata]).toEqual([['\ufffd'], ['x', '\ufffd']]);
  });
});

describe('createFeedbackDecoder: dead letters', () => {
  it.each([
    ['not_json', '{"kind":'],
    ['not_an_object', '[1]'],
    ['missing_field', { ...FLAG, customer: undefined }],
    ['missing_field', { ...FLAG, customer: '' }],
    ['missing_field', { ...FLAG, kind: undefined }],
    ['missing_field', { ...FLAG, content_id: undefined }],
    ['missing_field', { ...FLAG, content_id: undefined, targets: [{ content_id: 'a' }] }],
    ['several_targets', { ...FLAG, content_id: undefined, targets: [{ content_id: 'a' }, {}] }],
    ['several_targets', { ...FLAG, targets: [{ content_id: 'a' }, { content_id: 'b' }] }],
    ['unknown_kind', { ...FLAG, kind: 'Flag' }],
    ['unknown_kind', { ...FLAG, kind: 'constructor' }],
    ['wrong_type', { ...FLAG, kind: 1 }],
    ['wrong_type', { ...FLAG, content_id: ['p1', 'p2'] }],
    ['wrong_type', { ...FLAG, action: 5 }],
    ['wrong_type', { ...FLAG, reasons: 'hate' }],
    ['wrong_type', { ...FLAG, reasons: ['hate', 5] }],
    ['wrong_type', { ...FLAG, reasons: ['hate', null] }],
    ['wrong_type', { ...FLAG, automated: 'yes' }],
    ['wrong_type', { ...FLAG, note: {} }],
    ['bad_timestamp', { ...FLAG, created_at: 'tomorrow' }],
    ['bad_timestamp', { ...FLAG, created_at: '2026-03-03T00:00:00.000001Z' }],
    ['too_large', { ...FLAG, customer: 'é'.repeat(129) }],
    ['too_large', { ...FLAG, x: 'x'.repeat(2_000_000) }],
    ['too_deep', `{"kind":"flag","customer":"a","content_id":"p","x":${'['.repeat(300)}${']'.repeat(300)}}`],
  ])('%s', (code, value) => expect(refused(value)[0]).toBe(code));

  it('limits of a note are those of a text', () => {
    expect(one({ ...FLAG, note: 'ééé' }, { max_text_bytes: '6B' }).note).toBe('ééé');
    expect(refused({ ...FLAG, note: 'ééé' }, { max_text_bytes: '5B' })[0]).toBe('too_large');
  });

  it('details say which field, what was expected and what came, and never what was written', () => {
    expect(refused({ ...FLAG, kind: 'secret' })[1]).toBe(
      'kind: expected flag or moderation or appeal, got another value',
    );
    expect(refused({ ...FLAG, reasons: ['secret', 5] })[1]).toBe(
      'reasons: expected an array of strings, got an array with a number',
    );
    expect(refused({ ...FLAG, targets: [1, 2, 3] })[1]).toBe(
      'targets: expected one content_id in a message, got 3 targets; send a message for each',
    );
    expect(refused({ kind: 'flag', content_id: 'p' })[1]).toBe(
      'customer: expected a string in customer or $header.customer, got nothing',
    );
  });

  it('invalid UTF-8 hurts only its own message; tombstones and blanks are skipped', () => {
    const good = JSON.stringify(FLAG);
    const bad = Buffer.concat([Buffer.from('{"kind":"'), Uint8Array.of(0xc3), Buffer.from('"}')]);
    const { rows, index, deadLetters, skipped } = decode([good, bad, null, ' ', good]);
    expect([rows, [...index], skipped]).toEqual([2, [0, 4], { tombstone: 1, blank: 1 }]);
    expect(deadLetters.map(({ code, offset }) => [code, offset])).toEqual([['not_utf8', 1]]);
  });

  it('each message is exactly one of row, dead letter or skipped, whatever it holds', () => {
    const field = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom('flag', 'appeal', 'acme', true));
    const message = fc
      .record(
        {
          id: field,
          kind: fc.oneof(fc.constantFrom(...FEEDBACK_KINDS), field),
          customer: fc.oneof(fc.string(), field),
          content_id: fc.oneof(fc.string(), field),
          actor_id: field,
          action: field,
          reasons: fc.oneof(fc.array(fc.string(), { maxLength: 3 }), field),
          automated: fc.oneof(fc.boolean(), field),
          note: fc.oneof(fc.string({ unit: 'binary' }), field),
          created_at: field,
          metadata: field,
          targets: field,
          other: field,
        },
        { requiredKeys: [] },
      )
      .map((value) => JSON.stringify(value));
    fc.assert(
      fc.property(
        fc.array(fc.oneof({ weight: 8, arbitrary: message }, fc.constantFrom(null, ' ', '{'))),
        (values) => {
          const batch = decode(values);
          const skipped = Object.values(batch.skipped).reduce((sum, count) => sum + count, 0);
          expect(batch.rows + batch.deadLetters.length + skipped).toBe(values.length);
          const settled = [...batch.index, ...batch.deadLetters.map(({ offset }) => offset)];
          expect(new Set(settled).size).toBe(settled.length);
          const { feedbackId, contentId, customer, actorId, action, reasons, automated, note, metadata } =
            batch;
          const columns = [
            feedbackId,
            contentId,
            customer,
            actorId,
            action,
            reasons,
            automated,
            note,
            metadata,
          ];
          for (const column of [...columns, batch.kind, batch.createdAt])
            expect(column).toHaveLength(batch.rows);
          for (const kind of batch.kind) expect(FEEDBACK_KINDS[kind]).toBeDefined();
        },
      ),
    );
  });
});

describe('the topic of feedback', () => {
  const config = (more: object) =>
    configFrom({
      kafka: { brokers: ['localhost:9092'] },
      source: { type: 'kafka', topics: ['content'] },
      feedback: { topic: 'feedback' },
      ...more,
    });

  it('is read beside those of the source, whether they are names or a pattern', () => {
    const named = subscriptionOf({ topics: ['content'] }, ['feedback', 'content']);
    expect(named).toEqual({ topics: ['content', 'feedback'] });
    const matched = subscriptionOf({ pattern: '^content\\.' }, ['feedback']);
    expect(['content.a', 'feedback', 'feedback.a'].map((topic) => isSubscribed(matched, topic))).toEqual([
      true,
      true,
      false,
    ]);
  });

  it('is a topic of its own', () => {
    expect(config({}).feedback).toEqual({ topic: 'feedback' });
    for (const [more, place] of [
      [{ source: { type: 'kafka', topics: ['content', 'feedback'] } }, 'source.topics'],
      [{ dead_letters: { topic: 'feedback' } }, 'dead_letters.topic'],
    ] as const) {
      expect(() => config(more)).toThrow(
        `feedback.topic: expected a topic of its own, got feedback, which ${place} names as well`,
      );
    }
    expect(() => config({ feedback: { topic: 'a b' } })).toThrow('feedback.topic: expected a topic name');
    const file = { type: 'file', inputs: ['-'], topic: 'feedback' };
    expect(config({ source: file }).source).toMatchObject({ topic: 'feedback' });
  });
});

import { assert, integer, oneof, property, record, tuple } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decisionSchema, versionOf } from '../src/decision.ts';
import { createDecisions, type DecisionsInput } from '../src/decisions.ts';
import { sinksConfig } from '../src/sinks/config.ts';
import type { DecodedBatch, VerdictBatch } from '../src/types.ts';

const ACTION = { allow: 0, review: 1, block: 2 };

/** Rows of customer `acme` with these actions at offsets 100, 101 …; row 0 of the batch is at message 1. */
function inputOf(actions: (keyof typeof ACTION)[], instead: Partial<VerdictBatch> = {}): DecisionsInput {
  const rows = actions.length;
  const all = <Value>(value: Value) => Array.from<Value>({ length: rows }).fill(value);
  const decoded: DecodedBatch = {
    rows,
    index: Int32Array.from(actions, (_, row) => row + 1),
    contentId: actions.map((_, row) => `post-${row}`),
    customer: all('acme'),
    text: actions.map((_, row) => `text ${row}`),
    userId: all(null),
    contentType: all('comment'),
    language: all(null),
    createdAt: new Float64Array(rows).fill(Date.parse('2026-03-01T09:00:00Z') * 1000 + 123),
    metadata: all(null),
    deadLetters: [],
    skipped: {},
  };
  const verdicts: VerdictBatch = {
    labels: ['toxic', 'spam'],
    scores: Float32Array.from(actions.flatMap(() => [0.912345, Number.NaN])),
    actions: Uint8Array.from(actions, (action) => ACTION[action]),
    reasons: actions.map((action) => (action === 'allow' ? null : ['toxic'])),
    thresholds: actions.map((action) => (action === 'allow' ? null : [0.9])),
    language: all('en'),
    model: 'm@1',
    policy: 'default@1',
    poison: [],
    seconds: { language: 0, tokenise: 0, infer: 0, policy: 0 },
    tokens: 0,
    padding: 0,
    ...instead,
  };
  const raw = {
    topic: 'content',
    partition: 3,
    offsets: Float64Array.from({ length: rows + 1 }, (_, index) => 99 + index),
    timestamps: new Float64Array(rows + 1).fill(Date.parse('2026-03-01T10:00:00Z')),
    receivedAt: Date.parse('2026-03-01T10:00:01Z'),
  } as DecisionsInput['raw'];
  return {
    raw,
    decoded,
    verdicts,
    decidedAt: Date.parse('2026-03-01T10:00:02Z'),
    timings: { wait: 1, decode: 2, classify: 3 },
  };
}

const decisionsFor = (...sinks: object[]) =>
  createDecisions(
    sinksConfig.parse(
      Object.fromEntries(sinks.map((sink, index) => [`s${index}`, { type: 'kafka', topic: 't', ...sink }])),
    ),
  );

describe('decisions', () => {
  it('say everything about a row, as the schema has it', () => {
    const [decision] = decisionsFor({})(inputOf(['block']));
    expect(decisionSchema.strict().parse(decision)).toEqual({
      id: 'content-3-100',
      customer: 'acme',
      content_id: 'post-0',
      user_id: null,
      content_type: 'comment',
      language: 'en',
      action: 'block',
      reasons: [{ label: 'toxic', score: 0.9123, threshold: 0.9 }],
      scores: { toxic: 0.9123 },
      model: 'm@1',
      policy: 'default@1',
      created_at: '2026-03-01T09:00:00.000Z',
      produced_at: '2026-03-01T10:00:00.000Z',
      received_at: '2026-03-01T10:00:01.000Z',
      decided_at: '2026-03-01T10:00:02.000Z',
      version: '001772359200000-0000000000000100-000003',
      position: { topic: 'content', partition: 3, offset: 100 },
      timings: { wait: 1, decode: 2, classify: 3 },
    });
  });

  it('are made only where a sink wants them', () => {
    const input = inputOf(['allow', 'review', 'block']);
    const offsets = (...sinks: object[]) =>
      decisionsFor(...sinks)(input).map(({ position }) => position.offset);
    expect(offsets()).toEqual([]);
    expect(offsets({})).toEqual([101, 102]);
    expect(offsets({ actions: ['block'] })).toEqual([102]);
    expect(offsets({ actions: ['block'] }, { actions: ['allow'] })).toEqual([100, 102]);
    expect(offsets({ customers: ['other'] })).toEqual([]);
    expect(offsets({ labels: ['spam'] })).toEqual([]);
    expect(offsets({ labels: ['spam', 'toxic'] })).toEqual([101, 102]);
  });

  it('carry the text only when a sink asks for it', () => {
    expect(decisionsFor({})(inputOf(['block']))[0]).not.toHaveProperty('text');
    expect(decisionsFor({}, { text: true })(inputOf(['block']))[0]?.text).toBe('text 0');
  });

  it('are not made of rows that the model failed on', () => {
    const input = inputOf(['block', 'block'], { poison: [{ row: 0, detail: 'x' }] });
    expect(decisionsFor({})(input).map(({ id }) => id)).toEqual(['content-3-101']);
  });

  it('name the policy of the row', () => {
    const input = inputOf(['block', 'block'], { policies: ['a@1', 'b@2'] });
    expect(decisionsFor({})(input).map(({ policy }) => policy)).toEqual(['a@1', 'b@2']);
  });

  it('have no times that no calendar has', () => {
    const input = inputOf(['block']);
    input.decoded.createdAt[0] = 1e18;
    input.raw.timestamps.fill(Number.NaN);
    const [decision] = decisionsFor({})(input);
    expect(decision).toMatchObject({ created_at: null, produced_at: null });
    expect(decisionSchema.safeParse(decision).success).toBe(true);
  });
});

describe('versions', () => {
  const time = integer({ min: 1, max: 253_402_300_799_999 });
  const offset = integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
  const partition = integer({ min: 0, max: 999_999 });
  const message = record({ producedAt: time, offset, partition });
  const NOW = Date.parse('2026-03-01T10:00:00Z');

  it('sort as text by time stamp, then offset, then partition, and differ', () => {
    const close = record({
      producedAt: integer({ min: 1, max: 2 }),
      offset: integer({ min: 9, max: 11 }),
      partition: integer({ min: 9, max: 11 }),
    });
    const pair = oneof(tuple(message, message), tuple(close, close));
    assert(
      property(pair, ([one, other]) => {
        const [a, b] = [one, other].map((each) => versionOf({ ...each, receivedAt: each.producedAt }));
        const order =
          one.producedAt - other.producedAt || one.offset - other.offset || one.partition - other.partition;
        expect(a! < b! ? -1 : a! > b! ? 1 : 0).toBe(Math.sign(order));
        expect(a).toHaveLength(39);
      }),
    );
  });

  it('are the same whenever a message is read again, once its date is less than two days ahead', () => {
    assert(
      property(message, time, time, (each, first, later) => {
        const [a, b] = [first, later].map((receivedAt) => versionOf({ ...each, receivedAt }));
        const limit = each.producedAt - 2 * 86_400_000;
        if (first >= limit === later >= limit) expect(a).toBe(b);
        else expect(first < later ? a! < b! : a! > b!).toBe(true);
      }),
    );
  });

  it('are older than all others without a time stamp, and with one that no right clock shows', () => {
    const version = (producedAt: number) =>
      versionOf({ producedAt, receivedAt: NOW, partition: 0, offset: 5 });
    const oldest = '000000000000000-0000000000000005-000000';
    expect(version(Number.NaN)).toBe(oldest);
    expect(version(-1)).toBe(oldest);
    expect(version(Date.parse('2100-01-01'))).toBe(oldest);
    // Kafka's largest: Long.MAX_VALUE.
    expect(version(2 ** 63)).toBe(oldest);
    // A wrong time zone.
    expect(version(NOW + 14 * 3_600_000) > version(NOW)).toBe(true);
    expect(version(NOW + 172_800_000)).not.toBe(oldest);
    expect(version(NOW + 172_800_001)).toBe(oldest);
  });

  it('of a message from 2100 do not outlast what is told after it', () => {
    const tell = decisionsFor({});
    const ahead = inputOf(['block']);
    ahead.raw.timestamps.fill(Date.parse('2100-01-01'));
    const [[first], [second]] = [tell(ahead), tell(inputOf(['block', 'block']))];
    expect(first?.produced_at).toBe('2100-01-01T00:00:00.000Z');
    expect(first!.version < second!.version).toBe(true);
  });
});

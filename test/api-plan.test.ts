import { describe, expect, it } from 'vitest';
import { planApi } from '../src/api-plan.ts';
import { configFrom } from '../src/config.ts';
import { MisconfiguredError } from '../src/errors.ts';

const EVERY = ['allow', 'review', 'block'];
const plan = (changes: object = {}) =>
  planApi(
    configFrom({
      kafka: { brokers: ['localhost:9092'] },
      source: { type: 'kafka', topics: ['content'] },
      sinks: { decisions: { type: 'kafka', topic: 'decisions', actions: EVERY } },
      api: { keys: { acme: ['acme-key-0123456789'] } },
      ...changes,
    } as Parameters<typeof configFrom>[0]),
  );
const api = (more: object) => ({ api: { keys: { acme: ['acme-key-0123456789'] }, ...more } });
const kafka = (more: object) => ({ type: 'kafka', topic: 'd', actions: EVERY, ...more });

describe('plan of the HTTP API', () => {
  it('takes the topics from the other sections', () => {
    expect(plan()).toMatchObject({
      contentTopic: 'content',
      shape: 'sluice',
      decisionsTopic: 'decisions',
      feedbackTopic: undefined,
    });
    expect(plan({ ingest: { preset: 'koko' } }).shape).toBe('koko');
    expect(plan({ source: { type: 'kafka', pattern: 'c.*' }, ...api({ topic: 'chat' }) }).contentTopic).toBe(
      'chat',
    );
  });

  it('reads the first topic that is told every decision, and none when nothing may wait', () => {
    const sinks = {
      some: kafka({ topic: 'some', actions: ['block'] }),
      labels: kafka({ topic: 'labels', labels: ['toxic'] }),
      own: kafka({ topic: 'own', customers: ['acme'] }),
      all: kafka({ topic: 'all' }),
    };
    expect(plan({ sinks }).decisionsTopic).toBe('all');
    expect(plan({ sinks: {}, ...api({ max_wait: '0s' }) }).decisionsTopic).toBeUndefined();
  });

  it.each([
    ['no section', { api: undefined }, /^api: expected a section/],
    ['no brokers', { kafka: undefined }, /^kafka: expected brokers, since api/],
    [
      'a source that is no topic',
      { source: { type: 'file', inputs: ['a'] } },
      /^source\.type: expected kafka/,
    ],
    ['several topics', { source: { type: 'kafka', topics: ['a', 'b'] } }, /^api\.topic: expected the topic/],
    [
      'a topic that nobody reads',
      api({ topic: 'other' }),
      /^api\.topic: expected a topic that the source reads, got other/,
    ],
    ['no decisions', { sinks: {} }, /^api\.max_wait: .*got none/],
    [
      'decisions of one customer',
      { sinks: { one: kafka({ customers: ['a'] }) } },
      /^api\.max_wait: .*sinks\.one/,
    ],
    ['change envelopes', { ingest: { preset: 'debezium' } }, /^ingest\.preset/],
    ['a text elsewhere', { ingest: { fields: { text: 'body' } } }, /^ingest\.fields: .*text/],
    [
      'a customer elsewhere',
      { ingest: { fields: { customer: '$key' } } },
      /^ingest\.fields: .*another customer/,
    ],
    ['an id elsewhere', { ingest: { fields: { id: 'type' } } }, /^ingest\.fields: .*another id/],
  ])('refuses %s', (_, changes, expected) => {
    expect(() => plan(changes)).toThrow(MisconfiguredError);
    expect(() => plan(changes)).toThrow(expected);
  });
});

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Decision } from '../../src/decision.ts';
import { filtersOf, sinksConfig, wantsText } from '../../src/sinks/config.ts';
import { chunksOf, newestScores, scoreOf } from '../../src/sinks/score.ts';
import { sampleDecision } from '../sample-decision.ts';

const name = fc.constantFrom('a', 'b', '1', 'a1', '', 'ab');
const decisions = fc.array(
  fc
    .record({ customer: name, content: name, offset: fc.nat({ max: 5 }) })
    .map(({ customer, content, offset }) =>
      sampleDecision(offset, { customer, content_id: content, version: `1-${offset}` }),
    ),
);
const contentOf = ({ customer, content_id }: Pick<Decision, 'customer' | 'content_id'>) =>
  JSON.stringify([customer, content_id]);

describe('newestScores', () => {
  it('has each content once, with the newest decision on it and the indexes of all', () => {
    fc.assert(
      fc.property(decisions, (batch) => {
        const newest = newestScores(batch);
        const contents = newest.map(({ score }) => contentOf(score));
        expect(new Set(contents)).toEqual(new Set(batch.map(contentOf)));
        expect(new Set(contents).size).toBe(contents.length);
        expect(newest.flatMap(({ indexes }) => indexes).toSorted((a, b) => a - b)).toEqual([...batch.keys()]);
        for (const { score, indexes } of newest) {
          const same = indexes.map((index) => batch[index]!);
          expect(same.map(contentOf)).toEqual(same.map(() => contentOf(score)));
          const versions = same.map(({ version }) => version).toSorted();
          expect(score.version).toBe(versions.at(-1));
        }
      }),
    );
  });

  it('has the same order of contents whatever that of the batch, so that writers never wait in a circle', () => {
    const shuffled = decisions.chain((batch) =>
      fc.tuple(
        fc.constant(batch),
        fc.shuffledSubarray(batch, { minLength: batch.length, maxLength: batch.length }),
      ),
    );
    fc.assert(
      fc.property(shuffled, ([batch, other]) => {
        const order = (all: readonly Decision[]) => newestScores(all).map(({ score }) => contentOf(score));
        expect(order(other)).toEqual(order(batch));
      }),
    );
  });

  it('keeps labels of reasons, all scores, and the id as what it is', () => {
    const decision = sampleDecision(3);
    expect(scoreOf(decision)).toEqual({
      customer: 'acme',
      content_id: 'post-3',
      version: decision.version,
      decision_id: 'content-0-3',
      action: 'block',
      reasons: ['toxic'],
      scores: { toxic: 0.9812, spam: 0.0103 },
      model: 'default@1',
      policy: 'default@1',
      language: 'en',
      created_at: decision.created_at,
      decided_at: decision.decided_at,
    });
  });
});

describe('chunksOf', () => {
  it('cuts everything into parts of at most a size, in order', () => {
    fc.assert(
      fc.property(fc.array(fc.nat()), fc.integer({ min: 1, max: 9 }), (items, size) => {
        const chunks = chunksOf(items, size);
        expect(chunks.flat()).toEqual(items);
        for (const chunk of chunks) expect(chunk.length).toBeLessThanOrEqual(size);
        expect(chunks).toHaveLength(Math.ceil(items.length / size));
      }),
    );
  });
});

describe('configuration of scores and search sinks', () => {
  const parsed = sinksConfig.parse({
    cache: { type: 'redis', url: 'redis://localhost:6379' },
    rows: { type: 'postgres', url: 'postgres://localhost/moderation', actions: ['block'] },
    items: { type: 'dynamodb', table: 'scores' },
    search: { type: 'elasticsearch', url: 'http://localhost:9200', text: true },
  });

  it('stores scores of all actions by default: what is allowed again must not keep its old score', () => {
    const actions = Object.values(parsed).map((sink) => filtersOf(sink).map((filter) => filter.actions));
    expect(actions).toEqual([
      [['allow', 'review', 'block']],
      [['block']],
      [['allow', 'review', 'block']],
      [['review', 'block']],
    ]);
  });

  it('tells texts only to a sink that asks for them', () => {
    expect(Object.values(parsed).map(wantsText)).toEqual([false, false, false, true]);
  });

  it.for([
    [{ type: 'redis', url: 'http://localhost' }, 'redis://'],
    [{ type: 'redis', url: 'redis://localhost', ttl: '10ms' }, 'expected 1s or more'],
    [{ type: 'postgres', url: 'postgres://localhost/db', table: 'a.b.c' }, 'table or schema.table'],
    [{ type: 'postgres', url: 'postgres://localhost/db', table: 'a"b' }, 'table or schema.table'],
    [{ type: 'dynamodb', table: 'scores', customer_attribute: 'content_id' }, 'expected two names'],
    [{ type: 'elasticsearch', url: 'http://user:secret@localhost' }, 'expected no user in it'],
    [{ type: 'elasticsearch', url: 'http://localhost', username: 'u' }, 'username and password together'],
    [
      { type: 'elasticsearch', url: 'http://localhost', username: 'u', password: 'p', api_key: 'k' },
      'not both',
    ],
    [{ type: 'elasticsearch', url: 'http://localhost', index: 'Upper' }, 'lower-case'],
    [{ type: 'elasticsearch', url: 'http://localhost', index: 'a-{customer}' }, 'lower-case'],
    [{ type: 'elasticsearch', url: 'http://localhost', index: '-a' }, 'lower-case'],
  ] as const)('refuses %j', ([sink, text]) => {
    const result = sinksConfig.safeParse({ sink });
    expect(result.error?.issues.map(({ message }) => message).join()).toContain(text);
  });
});

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { classifyConfig } from '../../src/classify/config.ts';
import { createPolicies } from '../../src/classify/policy.ts';
import { MisconfiguredError } from '../../src/errors.ts';
import { ACTIONS } from '../../src/types.ts';

const labels = ['toxic', 'hate', 'spam'];
const model = { toxic: { review: 0.5, block: 0.9 }, hate: { review: 0.6 } };
const make = (policies: object, thresholds = model) =>
  createPolicies({ policies: classifyConfig.parse({ policies }).policies, labels, thresholds });
const one = (policies: object, scores: number[], customer = 'acme') => {
  const { actions, reasons } = make(policies).decide([customer], Float32Array.from(scores));
  return [ACTIONS[actions[0]!], reasons[0]];
};

describe('createPolicies', () => {
  it("uses the model's thresholds where nothing is configured", () => {
    expect(one({}, [0.4, 0.1, 1])).toEqual(['allow', null]);
    expect(one({}, [0.5, 0.1, 1])).toEqual(['review', ['toxic']]);
    expect(one({}, [0.9, 0.99, 1])).toEqual(['block', ['toxic']]);
  });

  it('names the labels that reached the action, worst first', () => {
    expect(one({}, [0.7, 0.8, 0])).toEqual(['review', ['hate', 'toxic']]);
    expect(
      one({ default: { labels: { hate: { block: 0.7 }, spam: { block: 0.7 } } } }, [0.95, 0.8, 0.99]),
    ).toEqual(['block', ['spam', 'toxic', 'hate']]);
  });

  it("prefers a customer's entry to the default policy's, and that to the model's", () => {
    const policies = {
      default: { labels: { toxic: { review: 0.2 } } },
      acme: { labels: { hate: { block: 0.3 } } },
    };
    expect(one(policies, [0.95, 0, 0], 'other')).toEqual(['review', ['toxic']]);
    expect(one(policies, [0.95, 0, 0], 'acme')).toEqual(['review', ['toxic']]);
    expect(one(policies, [0, 0.35, 0], 'acme')).toEqual(['block', ['hate']]);
    expect(one(policies, [0, 0.35, 0], 'other')).toEqual(['allow', null]);
  });

  it('lets quiet labels decide nothing', () => {
    expect(one({ default: { quiet: ['toxic'] } }, [1, 0, 0])).toEqual(['allow', null]);
    expect(
      one({ default: { quiet: ['toxic'] }, acme: { labels: { toxic: { review: 0.5 } } } }, [1, 0, 0]),
    ).toEqual(['review', ['toxic']]);
  });

  it('allows a row that was not scored', () => {
    expect(one({ default: { labels: { toxic: { review: 0, block: 0 } } } }, [NaN, NaN, NaN])).toEqual([
      'allow',
      null,
    ]);
  });

  it('takes customers that are named like properties of objects as any other', () => {
    expect(one({}, [0.95, 0, 0], '__proto__')).toEqual(['block', ['toxic']]);
    expect(one({}, [0.95, 0, 0], 'constructor')).toEqual(['block', ['toxic']]);
  });

  it('names a policy by name and version, else by the digest of its thresholds', () => {
    expect(make({ default: { name: 'strict', version: 3 } }).id).toBe('strict@3');
    expect(make({}).id).toMatch(/^default@[0-9a-f]{8}$/);
    expect(make({}).id).toBe(make({ default: { labels: { hate: { review: 0.6 } } } }).id);
    expect(make({}).id).not.toBe(make({ default: { labels: { hate: { review: 0.7 } } } }).id);
  });

  it('names the policy of each row once customers have their own', () => {
    const policies = make({ acme: { name: 'acme-rules', version: 'b' } });
    expect(policies.decide(['x', 'acme'], new Float32Array(6)).policies).toEqual([
      policies.id,
      'acme-rules@b',
    ]);
    expect(make({}).decide(['x'], new Float32Array(3)).policies).toBeUndefined();
  });

  it.each([
    [
      { default: { labels: { txic: { review: 0.5 } } } },
      /^classify\.policies\.default: expected a label of the model \(toxic, hate, spam\), got "txic"; did you mean "toxic"\?$/,
    ],
    [{ acme: { quiet: ['violence'] } }, /^classify\.policies\.acme: expected a label .* got "violence"$/],
    [
      { acme: { labels: { toxic: { review: 0.9, block: 0.5 } } } },
      /^classify\.policies\.acme\.labels\.toxic: expected review at most block, got review 0\.9 and block 0\.5$/,
    ],
    [{ acme: { labels: { toxic: {} }, quiet: ['toxic'] } }, /"toxic" in labels or in quiet, got it in both$/],
  ])('refuses %j', (policies, message) => {
    expect(() => make(policies)).toThrow(MisconfiguredError);
    expect(() => make(policies)).toThrow(message);
  });

  it('decides as the definition says, for any thresholds and scores', () => {
    const level = fc.option(
      fc.integer({ min: 0, max: 20 }).map((n) => n / 20),
      { nil: undefined },
    );
    const pair = fc.tuple(level, level).map(([a, b]) => ({
      ...(a !== undefined && b !== undefined ? { review: Math.min(a, b), block: Math.max(a, b) } : {}),
      ...(a !== undefined && b === undefined ? { review: a } : {}),
      ...(a === undefined && b !== undefined ? { block: b } : {}),
    }));
    const row = fc.array(
      fc.integer({ min: -1, max: 20 }).map((n) => (n < 0 ? NaN : n / 20)),
      { minLength: 3, maxLength: 3 },
    );
    fc.assert(
      fc.property(fc.tuple(pair, pair, pair), fc.array(row, { maxLength: 20 }), (levels, rows) => {
        const thresholds = Object.fromEntries(labels.map((label, i) => [label, levels[i]!]));
        const policies = createPolicies({ policies: {}, labels, thresholds });
        const { actions, reasons } = policies.decide(
          rows.map(() => 'c'),
          Float32Array.from(rows.flat()),
        );
        rows.forEach((scores, i) => {
          const at = (name: 'review' | 'block') =>
            labels.filter((_, l) => scores[l]! >= (levels[l]![name] ?? Infinity));
          const blocked = at('block');
          const expected = blocked.length > 0 ? blocked : at('review');
          expect(ACTIONS[actions[i]!]).toBe(
            blocked.length > 0 ? 'block' : expected.length > 0 ? 'review' : 'allow',
          );
          expect(reasons[i]?.toSorted() ?? []).toEqual(expected.toSorted());
          const worst = (reasons[i] ?? []).map((label) => scores[labels.indexOf(label)]!);
          expect(worst).toEqual(worst.toSorted((a, b) => b - a));
        });
      }),
    );
  });
});

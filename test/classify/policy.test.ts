import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { classifyConfig } from '../../src/classify/config.ts';
import { createPolicies } from '../../src/classify/policy.ts';
import { MisconfiguredError } from '../../src/errors.ts';
import { ACTIONS } from '../../src/types.ts';

const labels = ['toxic', 'hate', 'spam'];
const model = { toxic: { review: 0.5, block: 0.9 }, hate: { review: 0.6 } };
const german = { de: { toxic: { review: 0.3 } } };
const make = (policies: object, languageThresholds = {}) =>
  createPolicies({
    policies: classifyConfig.parse({ policies }).policies,
    labels,
    models: [{ thresholds: model, languageThresholds }],
    lists: ['known'],
  });
const one = (
  policies: object,
  scores: number[],
  customer = 'acme',
  language: string | null = null,
  byLanguage = {},
) => {
  const { actions, reasons } = make(policies, byLanguage).decide({
    customers: [customer],
    languages: [language],
    scores: Float32Array.from(scores),
  });
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

  it('refuses a hash list that is named like a label', () => {
    expect(() => createPolicies({ policies: {}, labels, models: [], lists: ['spam'] })).toThrow(
      /^classify\.hash_lists\.spam: expected another name than those of the model's labels \(toxic, hate, spam\)$/,
    );
  });

  it('refuses a language that is named twice, and what is no tag', () => {
    const parse = (languages: object) =>
      classifyConfig.safeParse({ policies: { default: { languages } } }).error?.issues[0]?.message;
    expect(parse({ de: {}, DE: {} })).toBe('expected each language once, got de and DE');
    expect(parse({ 'German!': {} })).toMatch(/Invalid key|expected a BCP 47 tag/);
  });

  it('names a policy by name and version, else by the digest of its thresholds', () => {
    expect(make({ default: { name: 'strict', version: 3 } }).id).toBe('strict@3');
    expect(make({}).id).toMatch(/^default@[0-9a-f]{8}$/);
    expect(make({}).id).toBe(make({ default: { labels: { hate: { review: 0.6 } } } }).id);
    expect(make({}).id).not.toBe(make({ default: { labels: { hate: { review: 0.7 } } } }).id);
  });

  it('names the policy of each row once customers have their own', () => {
    const policies = make({ acme: { name: 'acme-rules', version: 'b' } });
    const languages = [null, null];
    expect(
      policies.decide({ customers: ['x', 'acme'], languages, scores: new Float32Array(6) }).policies,
    ).toEqual([policies.id, 'acme-rules@b']);
    expect(
      make({}).decide({ customers: ['x'], languages, scores: new Float32Array(3) }).policies,
    ).toBeUndefined();
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
    [
      { acme: { languages: { de: { quiet: ['txic'] } } } },
      /^classify\.policies\.acme\.languages\.de: expected a label .* got "txic"; did you mean/,
    ],
    [{ acme: { labels: { toxic: {} }, quiet: ['toxic'] } }, /"toxic" in labels or in quiet, got it in both$/],
  ])('refuses %j', (policies, message) => {
    expect(() => make(policies)).toThrow(MisconfiguredError);
    expect(() => make(policies)).toThrow(message);
  });

  describe('for languages', () => {
    const policies = {
      default: {
        labels: { toxic: { review: 0.6 } },
        languages: { fr: { labels: { toxic: { review: 0.4 } } } },
      },
      acme: {
        labels: { toxic: { block: 0.8 } },
        languages: { 'de-AT': { labels: { toxic: { block: 0.2 } } }, ta: { quiet: ['toxic'] } },
      },
    };

    it.each([
      // customer's language, customer's, default's language, default's, model's language, model's
      ['acme', 'de-AT', 0.2, 'block'],
      ['acme', 'de_at-1996', 0.2, 'block'],
      ['acme', 'de', 0.75, 'allow'],
      ['acme', 'de', 0.8, 'block'],
      ['acme', 'fr', 0.75, 'allow'],
      ['acme', 'ta-Latn', 1, 'allow'],
      ['acme', 'tam', 0.8, 'block'],
      ['other', 'fr-CA', 0.4, 'review'],
      ['other', 'FR', 0.35, 'allow'],
      ['other', 'de', 0.5, 'allow'],
      ['other', null, 0.6, 'review'],
      ['other', 'no tag at all, but a text of any length that some producer sent', 0.6, 'review'],
    ])('decides %s %s %f as %s', (customer, language, score, action) => {
      expect(one(policies, [score, 0, 0], customer, language, german)[0]).toBe(action);
    });

    it("uses the model's own thresholds for a language where no policy has any", () => {
      expect(one({}, [0.35, 0, 0], 'acme', 'de-CH', german)).toEqual(['review', ['toxic']]);
      expect(one({}, [0.95, 0, 0], 'acme', 'de', german)).toEqual(['review', ['toxic']]);
      expect(one({}, [0.35, 0, 0], 'acme', 'en', german)).toEqual(['allow', null]);
      expect(one({}, [0, 0.7, 0], 'acme', 'de', german)).toEqual(['review', ['hate']]);
    });

    it('prefers the longer tag', () => {
      const both = {
        default: {
          languages: {
            zh: { labels: { spam: { block: 0.1 } } },
            'zh-Hant': { labels: { spam: { block: 0.5 } } },
          },
        },
      };
      expect(one(both, [0, 0, 0.3], 'acme', 'zh-Hant-TW')[0]).toBe('allow');
      expect(one(both, [0, 0, 0.3], 'acme', 'zh-Hans')[0]).toBe('block');
    });

    it('gives a policy one id in all languages, and another when a language changes', () => {
      const of = (languages: object) => make({ default: { languages } }).id;
      const ids = [
        of({}),
        of({ de: { labels: { toxic: { block: 0.7 } } } }),
        of({ de: { labels: { toxic: { block: 0.8 } } } }),
        of({ en: { labels: { toxic: { block: 0.8 } } } }),
        make({ default: { unsupported_language: 'review' } }).id,
        make({}, german).id,
      ];
      expect(new Set(ids).size).toBe(ids.length);
      // Nothing is decided otherwise.
      expect(of({ de: { labels: { toxic: { review: 0.5, block: 0.9 } } } })).toBe(of({}));
    });

    it('gives another id when a region goes back to what holds for all languages', () => {
      const all = { hate: { block: 0.5 } };
      const of = (languages: object) => make({ default: { labels: all, languages } }).id;
      const onlyGerman = { de: { labels: { hate: { block: 0.3 } } } };
      expect(of({ ...onlyGerman, 'de-AT': { labels: all } })).not.toBe(of(onlyGerman));
      expect(of({ ...onlyGerman, 'de-AT': onlyGerman.de })).toBe(of(onlyGerman));
    });

    it('takes `und` for rows whose language is not known', () => {
      const policy = make({ default: { languages: { und: { labels: { hate: { block: 0.3 } } } } } });
      const { actions } = policy.decide({
        customers: ['x', 'x', 'x'],
        languages: [null, 'und', 'de'],
        scores: Float32Array.of(0, 0.4, 0, 0, 0.4, 0, 0, 0.4, 0),
      });
      expect([...actions].map((action) => ACTIONS[action])).toEqual(['block', 'block', 'allow']);
    });

    it('decides the same after many more tags than it remembers', () => {
      const policy = make(policies, german);
      const tags = Array.from({ length: 12_000 }, (_, i) => `de-x-${i.toString(36)}`);
      const { actions } = policy.decide({
        customers: tags.map(() => 'other'),
        languages: tags,
        scores: new Float32Array(tags.length * 3).fill(0.61),
      });
      expect(new Set(actions)).toEqual(new Set([ACTIONS.indexOf('review')]));
    });
  });

  it('uses the thresholds of the model that scored a row', () => {
    const policies = createPolicies({
      policies: {},
      labels,
      models: [
        { thresholds: { toxic: { block: 0.9 } }, languageThresholds: {} },
        { thresholds: { toxic: { block: 0.2 } }, languageThresholds: {} },
      ],
    });
    const { actions } = policies.decide({
      customers: ['a', 'a'],
      languages: [null, null],
      scores: Float32Array.from([0.5, 0, 0, 0.5, 0, 0]),
      models: Uint8Array.of(0, 1),
    });
    expect([...actions].map((action) => ACTIONS[action])).toEqual(['allow', 'block']);
  });

  it('decides facts: the hash list first, then the language, by the policy', () => {
    const policies = make({
      default: { unsupported_language: 'review' },
      strict: { unsupported_language: 'block' },
      lax: { unsupported_language: 'allow' },
      none: {},
    });
    const known = { name: 'known', action: 'block' } as const;
    const decided = policies.decide({
      customers: ['x', 'strict', 'lax', 'none', 'lax', 'x'],
      languages: Array.from({ length: 6 }, () => 'mi'),
      scores: new Float32Array(18).fill(NaN),
      unsupported: Uint8Array.of(1, 1, 1, 1, 1, 0),
      listed: [null, null, null, null, known, null],
    });
    expect([...decided.actions].map((action) => ACTIONS[action])).toEqual([
      'review',
      'block',
      'allow',
      'review',
      'block',
      'allow',
    ]);
    expect(decided.reasons).toEqual([
      ...Array.from({ length: 4 }, () => ['unsupported_language']),
      ['known'],
      null,
    ]);
    expect(decided.thresholds).toEqual([[1], [1], [1], [1], [1], null]);
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
        const policies = createPolicies({
          policies: {},
          labels,
          models: [{ thresholds, languageThresholds: {} }],
        });
        const { actions, reasons } = policies.decide({
          customers: rows.map(() => 'c'),
          languages: rows.map(() => null),
          scores: Float32Array.from(rows.flat()),
        });
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

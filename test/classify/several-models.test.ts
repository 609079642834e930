import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { classifyConfig, createClassify } from '../../src/classify/index.ts';
import { openModels } from '../../src/classify/open-models.ts';
import { MisconfiguredError } from '../../src/errors.ts';
import { ACTIONS, type DecodedBatch, type VerdictBatch } from '../../src/types.ts';
import { writeVariant } from './fixtures/variant.ts';

const directory = mkdtempSync(join(tmpdir(), 'sluice-models-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const strict = { toxic: { review: 0.1, block: 0.5 } };
const lax = { toxic: { review: 0.97, block: 0.99 } };
const folder = (name: string, variant: Parameters<typeof writeVariant>[1] = {}) =>
  writeVariant(join(directory, name), { name, ...variant });
const folders = {
  rest: folder('rest', { thresholds: lax }),
  german: folder('german', { thresholds: strict }),
  english: folder('english', { thresholds: strict, languages: ['en'] }),
  sentiment: folder('sentiment', { labels: ['negative', 'neutral', 'positive'], softmax: true }),
};

function decoded(texts: readonly string[], values: Partial<DecodedBatch> = {}): DecodedBatch {
  const none = texts.map(() => null);
  return {
    rows: texts.length,
    index: Int32Array.from(texts.keys()),
    contentId: texts.map((_, i) => `post-${i}`),
    customer: texts.map(() => 'acme'),
    text: [...texts],
    userId: none,
    contentType: none,
    language: none,
    createdAt: new Float64Array(texts.length),
    metadata: none,
    deadLetters: [],
    skipped: {},
    ...values,
  };
}

async function verdictsOf(models: object, batch: DecodedBatch, more: object = {}): Promise<VerdictBatch> {
  const classify = await createClassify(classifyConfig.parse({ models, language: 'off', ...more }));
  const verdicts = await classify(batch);
  await classify.close();
  return verdicts;
}
const actionsOf = ({ actions }: VerdictBatch) => [...actions].map((action) => ACTIONS[action]);
const scoreOf = ({ labels, scores }: VerdictBatch, row: number, label: string) =>
  scores[row * labels.length + labels.indexOf(label)]!;

const IDIOT = 'you are an idiot';

describe('several models', () => {
  it('score each row by those that take it, and decide by their own thresholds', async () => {
    const verdicts = await verdictsOf(
      {
        german: { model: folders.german, languages: ['de'] },
        rest: { model: folders.rest },
        sentiment: { model: folders.sentiment },
      },
      decoded([IDIOT, IDIOT, 'hello world'], { language: ['de-AT', null, 'de'] }),
    );
    expect(verdicts.labels).toEqual(['toxic', 'hate', 'spam', 'negative', 'neutral', 'positive']);
    expect(verdicts.models).toEqual([
      'german@1.0.0,sentiment@1.0.0',
      'rest@1.0.0,sentiment@1.0.0',
      'german@1.0.0,sentiment@1.0.0',
    ]);
    expect(actionsOf(verdicts)).toEqual(['block', 'allow', 'allow']);
    expect(verdicts.reasons).toEqual([['toxic'], null, null]);
    expect(scoreOf(verdicts, 1, 'toxic')).toBeCloseTo(0.953, 2);
    const sentiment = ['negative', 'neutral', 'positive'].map((label) => scoreOf(verdicts, 0, label));
    expect(sentiment.reduce((a, b) => a + b)).toBeCloseTo(1, 5);
    expect(verdicts.work).toMatchObject([
      { name: 'german', texts: 2, role: 'decide' },
      { name: 'rest', texts: 1 },
      { name: 'sentiment', texts: 3, model: 'sentiment@1.0.0' },
    ]);
    expect(verdicts.tokens).toBe(verdicts.work!.reduce((all, { tokens }) => all + tokens, 0));
  });

  it('score the same as each of them alone', async () => {
    const texts = [IDIOT, 'hello world', 'kaboom', 'buy pills now', ''];
    const both = await verdictsOf(
      { rest: { model: folders.rest }, s: { model: folders.sentiment } },
      decoded(texts),
    );
    const alone = await verdictsOf({ rest: { model: folders.rest } }, decoded(texts));
    for (const [row] of texts.entries())
      for (const label of alone.labels) expect(scoreOf(both, row, label)).toBe(scoreOf(alone, row, label));
    // One row fails in both models, and is one dead letter.
    expect(both.poison).toEqual([{ row: 2, detail: expect.stringContaining('the model failed') }]);
    expect(both.work!.map(({ poison }) => poison)).toEqual([1, 1]);
    expect(both.models).toBeUndefined();
    expect(both.model).toBe('rest@1.0.0,sentiment@1.0.0');
  });

  it('leave a language that none of them judges to the policy, and score it by the others', async () => {
    const models = { english: { model: folders.english }, sentiment: { model: folders.sentiment } };
    const batch = decoded([IDIOT, IDIOT, IDIOT], { language: ['sw', 'en', null] });
    const verdicts = await verdictsOf(models, batch, {
      policies: { acme: { unsupported_language: 'review' } },
    });
    expect(actionsOf(verdicts)).toEqual(['review', 'block', 'block']);
    expect(verdicts.reasons[0]).toEqual(['unsupported_language']);
    expect(verdicts.thresholds[0]).toEqual([1]);
    expect(scoreOf(verdicts, 0, 'toxic')).toBeNaN();
    expect(scoreOf(verdicts, 0, 'negative')).toBeGreaterThan(0);
    expect(verdicts.models![0]).toBe('sentiment@1.0.0');
    expect(actionsOf(await verdictsOf(models, batch))).toEqual(['allow', 'block', 'block']);
  });

  it('judge all languages when told so', async () => {
    const models = { english: { model: folders.english, languages: ['*'] } };
    const verdicts = await verdictsOf(models, decoded([IDIOT], { language: ['sw'] }));
    expect(verdicts.reasons).toEqual([['toxic']]);
  });

  it('of one folder are loaded once', async () => {
    const config = classifyConfig.parse({
      models: {
        german: { model: folders.rest, languages: ['de'] },
        canary: { model: folders.rest, share: '50%' },
        rest: { model: folders.rest },
        short: { model: folders.rest, role: 'shadow', max_tokens: 8 },
      },
    });
    const opened = await openModels(config);
    const { models } = opened;
    expect(models.map(({ name, share }) => [name, share])).toEqual([
      ['german', 1],
      ['canary', 0.5],
      ['rest', 1],
      ['short', 1],
    ]);
    const [german, canary, rest, short] = models.map(({ classifier }) => classifier);
    expect(german).toBe(canary);
    expect(german).toBe(rest);
    expect(short).not.toBe(rest);
    await opened.close();
  });
});

describe('a shadow model', () => {
  const shadow = folder('next', { version: '2.0.0', thresholds: strict });
  const models = {
    next: { model: shadow, role: 'shadow' },
    rest: { model: folders.rest },
    sentiment: { model: folders.sentiment },
  };

  it('decides nothing, and says what it would have decided', async () => {
    const batch = decoded([IDIOT, 'hello world', 'kaboom']);
    const verdicts = await verdictsOf(models, batch);
    const { next: _, ...deciding } = models;
    const without = await verdictsOf(deciding, batch);
    expect(verdicts.actions).toEqual(without.actions);
    expect(verdicts.scores).toEqual(without.scores);
    expect(verdicts.model).toBe('rest@1.0.0,sentiment@1.0.0');
    expect(verdicts.shadow!.actions).toEqual([['next@2.0.0', 'block'], ['next@2.0.0', 'allow'], null]);
    expect(verdicts.shadow!.scores[0]!.keys).toEqual(
      ['toxic', 'hate', 'spam'].map((label) => `next@2.0.0/${label}`),
    );
    expect(verdicts.shadow!.scores[0]!.values[0]).toBeCloseTo(0.953, 2);
    expect(verdicts.work![0]).toMatchObject({
      role: 'shadow',
      texts: 3,
      poison: 1,
      disagreements: { 'allow>block': 1 },
    });
  });

  it.each([
    ['before', ['next', 'now']],
    ['after', ['now', 'next']],
  ])('decides nothing by its thresholds either, %s the model that decides', async (_, order) => {
    const both: Record<string, object> = {
      next: { model: shadow, role: 'shadow' },
      now: { model: folder('now', { thresholds: { spam: { block: 0.99 } } }) },
      strictly: { model: folders.german },
    };
    const batch = decoded([IDIOT]);
    const ordered = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, both[name]]));
    const lenient = await verdictsOf(ordered(order), batch);
    expect(actionsOf(lenient)).toEqual(['allow']);
    expect(lenient.shadow!.actions).toEqual([['next@2.0.0', 'block']]);
    const deciding = order.map((name) => (name === 'now' ? 'strictly' : name));
    const { actions, policy } = await verdictsOf(ordered(deciding), batch);
    const alone = await verdictsOf(ordered(['strictly']), batch);
    expect(ACTIONS[actions[0]!]).toBe('block');
    expect(policy).toBe(alone.policy);
  });

  it('is held against the same policies', async () => {
    const policies = { acme: { labels: { toxic: { review: 0.9 } } } };
    const { actions, work, shadow: said } = await verdictsOf(models, decoded([IDIOT]), { policies });
    expect(ACTIONS[actions[0]!]).toBe('review');
    expect(said!.actions).toEqual([['next@2.0.0', 'review']]);
    expect(work![0]!.disagreements).toEqual({});
  });

  it('takes part of the rows, and languages that no deciding model judges', async () => {
    const verdicts = await verdictsOf(
      { swahili: { model: shadow, role: 'shadow', languages: ['sw'] }, english: { model: folders.english } },
      decoded([IDIOT, IDIOT], { language: ['en', 'sw'] }),
    );
    expect(verdicts.shadow!.actions).toEqual([null, ['next@2.0.0', 'block']]);
    expect(verdicts.reasons).toEqual([['toxic'], ['unsupported_language']]);
    expect(verdicts.work![0]!.disagreements).toEqual({ 'allow>block': 1 });
  });
});

describe('models that cannot work together', () => {
  const upper = folder('upper', { labels: ['Toxic', 'x', 'y'] });
  const reserved = folder('reserved', { labels: ['unsupported_language', 'x', 'y'] });
  it.each([
    [
      { a: { model: folders.rest }, b: { model: folders.german } },
      /^classify\.models\.b: takes no row, since a before it .* label "toxic" too; put b first and give it `languages`/,
    ],
    [
      {
        a: { model: folders.rest, languages: ['de'] },
        b: { model: folders.german, languages: ['de-AT'] },
        c: { model: folders.english, languages: ['*'] },
      },
      /^classify\.models\.b: takes no row, since a before it/,
    ],
    [
      { a: { model: folders.rest, share: '5%' } },
      /^classify\.models\.a: share: expected a later model .* got none$/,
    ],
    [
      { a: { model: folders.rest, role: 'shadow' } },
      /^classify\.models: expected one that decides, got only shadow models: a$/,
    ],
    [
      { a: { model: upper }, b: { model: folders.rest } },
      /^classify\.models\.b: label "toxic": expected the spelling of a, "Toxic"/,
    ],
    [{ a: { model: reserved } }, /^classify\.models\.a: expected another label than "unsupported_language"/],
    [
      {
        s: { model: folders.german, role: 'shadow' },
        t: { model: folders.german, role: 'shadow' },
        a: { model: folders.rest },
      },
      /^classify\.models\.t: expected another model than german@1\.0\.0, which s is too/,
    ],
    [
      { a: { model: join(directory, 'nowhere') } },
      /^classify\.models\.a: .*nowhere: expected a model folder, got nothing$/,
    ],
  ])('are refused: %j', async (models, message) => {
    const opening = createClassify(classifyConfig.parse({ models }));
    await expect(opening).rejects.toThrow(MisconfiguredError);
    await expect(opening).rejects.toThrow(message);
  });

  it('are not refused for a rival that is itself kept from some rows', async () => {
    const models = {
      canary: { model: folders.sentiment, languages: ['de'] },
      both: { model: folder('both', { labels: ['negative', 'hate', 'spam'] }) },
      left: { model: folder('left', { labels: ['toxic', 'hate', 'spam'] }) },
    };
    const verdicts = await verdictsOf(models, decoded([IDIOT, IDIOT], { language: ['de', 'en'] }));
    expect(verdicts.models).toEqual(['sentiment@1.0.0,left@1.0.0', 'both@1.0.0']);
  });

  it('are refused in the configuration where that can be told', () => {
    const problem = (config: object) => classifyConfig.safeParse(config).error?.issues[0];
    expect(problem({ model: 'x', models: { a: {} } })).toMatchObject({
      path: ['model'],
      message: 'expected one model here or several in `models`, got `model` beside `models`',
    });
    expect(problem({ models: { a: { share: '5' } } })?.message).toBe(
      'expected a percentage such as 5%, got "5"',
    );
    expect(problem({ models: { a: { share: '120%' } } })?.message).toContain('got "120%"');
    expect(problem({ models: { '1a': {} } })?.path).toEqual(['models', '1a']);
    expect(problem({ models: { a: { languages: ['German language'] } } })?.path).toEqual([
      'models',
      'a',
      'languages',
      0,
    ]);
  });
});

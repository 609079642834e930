import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Classifier, Scores } from '../../src/classify/index.ts';
import type { OpenedModel } from '../../src/classify/open-models.ts';
import { joinScores, scoreModels } from '../../src/classify/score-models.ts';
import { UnavailableError } from '../../src/errors.ts';

/** A model that says when it is asked; its answers are given by hand. */
function model(name: string, values: Partial<OpenedModel> & { score: Classifier['score'] }): OpenedModel {
  const { score, ...more } = values;
  const labels = [name];
  const classifier: Classifier = {
    labels,
    model: `${name}@1`,
    thresholds: {},
    languageThresholds: {},
    languages: undefined,
    score,
    close: () => Promise.resolve(),
  };
  return {
    name,
    id: `${name}@1`,
    role: 'decide',
    labels,
    languages: undefined,
    share: 1,
    judges: true,
    isRemote: false,
    classifier,
    ...more,
  };
}
const answer = (texts: readonly string[], value: number): Scores => ({
  scores: new Float32Array(texts.length).fill(value),
  poison: [],
  tokens: 0,
  padding: 0,
  counts: {},
  seconds: { tokenise: 0, infer: 0 },
});

describe('scoreModels', () => {
  it('asks servers side by side and runs local models meanwhile, one after the other', async () => {
    const log: string[] = [];
    const gates = { far: Promise.withResolvers<void>(), away: Promise.withResolvers<void>() };
    const remote = (name: 'far' | 'away') =>
      model(name, {
        isRemote: true,
        score: async (texts) => {
          log.push(`${name} asked`);
          await gates[name].promise;
          return answer(texts, 0.5);
        },
      });
    const local = (name: string) =>
      model(name, {
        score: async (texts) => {
          log.push(`${name} begins`);
          await Promise.resolve();
          log.push(`${name} ends`);
          if (name === 'second') gates.far.resolve();
          return answer(texts, 0.25);
        },
      });
    const models = [local('first'), remote('far'), local('second'), remote('away')];
    // The second server answers only when the first one has: neither waits for the other to be asked.
    void gates.far.promise.then(() => gates.away.resolve());
    const scored = await scoreModels(models, ['a', 'b'], { common: 0b1111 });
    expect(log).toEqual([
      'far asked',
      'away asked',
      'first begins',
      'first ends',
      'second begins',
      'second ends',
    ]);
    expect(scored.map(({ model: { name } }) => name)).toEqual(['first', 'far', 'second', 'away']);
    expect([...joinScores(scored, 2, ['first', 'far', 'second', 'away'])]).toEqual([
      0.25, 0.5, 0.25, 0.5, 0.25, 0.5, 0.25, 0.5,
    ]);
  });

  it('gives each model its rows only, and nobody those that are left out', async () => {
    const given: Record<string, readonly string[]> = {};
    const telling = (name: string) =>
      model(name, {
        score: (texts) => {
          given[name] = texts;
          return Promise.resolve(answer(texts, 1));
        },
      });
    const sets = Int32Array.from([0b01, 0b11, 0b10, 0b11]);
    const models = [telling('x'), telling('y')];
    const scored = await scoreModels(
      models,
      ['a', 'b', 'c', 'd'],
      { sets, common: 0b01 },
      (row) => row === 3,
    );
    expect(given).toEqual({ x: ['a', 'b'], y: ['b', 'c'] });
    expect([...joinScores(scored, 4, ['x', 'y'])]).toEqual([1, NaN, 1, 1, NaN, 1, NaN, NaN]);
  });

  it('goes on without a shadow whose server is away, and not without a model that decides', async () => {
    const away = () => Promise.reject(new UnavailableError('no answer'));
    const here = model('here', { score: (texts) => Promise.resolve(answer(texts, 1)) });
    const shadow = model('shadow', { role: 'shadow', isRemote: true, score: away });
    const [, { rows, failure } = {}] = await scoreModels([here, shadow], ['a'], { common: 0b11 });
    expect([rows?.length, failure]).toEqual([0, 'no answer']);
    const deciding = model('deciding', { isRemote: true, score: away });
    await expect(scoreModels([here, deciding], ['a'], { common: 0b11 })).rejects.toThrow('no answer');
    const broken = model('broken', { role: 'shadow', score: () => Promise.reject(new TypeError('a bug')) });
    await expect(scoreModels([here, broken], ['a'], { common: 0b11 })).rejects.toThrow('a bug');
  });

  it('does not let every batch wait for a shadow whose server is away', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    let asked = 0;
    let isAway = true;
    const here = model('here', { score: (texts) => Promise.resolve(answer(texts, 1)) });
    const shadow = model('shadow', {
      role: 'shadow',
      isRemote: true,
      score(texts) {
        asked++;
        return isAway ? Promise.reject(new UnavailableError('no answer')) : Promise.resolve(answer(texts, 0));
      },
    });
    const failures = async (batches: number) => {
      const found: (string | undefined)[] = [];
      for (let i = 0; i < batches; i++)
        found.push((await scoreModels([here, shadow], ['a'], { common: 0b11 }))[1]!.failure);
      return found;
    };
    expect(await failures(3)).toEqual(['no answer', 'no answer', 'no answer']);
    expect(asked).toBe(1);
    // Asked again after 30 s, then 60 s.
    vi.advanceTimersByTime(30_000);
    await failures(2);
    vi.advanceTimersByTime(59_000);
    await failures(2);
    expect(asked).toBe(2);
    isAway = false;
    vi.advanceTimersByTime(1_000);
    expect(await failures(2)).toEqual([undefined, undefined]);
    expect(asked).toBe(4);
  });
});

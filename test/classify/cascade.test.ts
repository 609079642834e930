import { cpSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createCascade } from '../../src/classify/cascade.ts';
import { resolveModel } from '../../src/classify/config.ts';
import { modelConfig } from '../../src/classify/model-config.ts';
import { openModel } from '../../src/classify/open-model.ts';
import { classifierContract, HOSTILE } from '../contract/classifier.ts';

const bundled = (name: string) => resolveModel(name, process.cwd());
const open = (options: object) =>
  openModel(modelConfig.parse({ model: bundled('default'), duplicates: 'off', ...options }));
const cascade = (options: object = {}) => open({ cascade: { first: bundled('first-stage'), ...options } });

const TEXTS = [
  'Thanks for the help yesterday, see you at the station at six.',
  'You are a worthless idiot, shut up and die.',
  'Wir treffen uns morgen um acht vor dem Kino.',
  'the patch is in the third branch, rebase it before the meeting',
  'lol that was a good one',
];
const bands = (low: number, high: number) =>
  Object.fromEntries(['toxic', 'hate', 'spam'].map((label) => [label, [low, high] as const]));

classifierContract('a cascade', () => cascade());

describe('a cascade', () => {
  it('is the second stage when the band is everything, and the first when it is nothing', async () => {
    const [first, second] = [await open({ model: bundled('first-stage') }), await open({})];
    const texts = [...TEXTS, ...HOSTILE.filter((text) => text.trim() !== '')];
    const all = await createCascade(first, second, bands(0, 1)).score(texts);
    const alone = await second.score(texts);
    expect(all.scores).toEqual(alone.scores);
    expect([all.tokens, all.counts['first_stage']]).toEqual([alone.tokens, 0]);
    const none = await createCascade(first, second, bands(1, 1)).score(TEXTS);
    expect(none.scores).toEqual((await first.score(TEXTS)).scores);
    expect([none.tokens, none.counts['first_stage']]).toEqual([0, TEXTS.length]);
    await Promise.all([first.close(), second.close()]);
  });

  it('gives each text to one stage: its row is the row of that stage, by the band', async () => {
    const [first, second] = [await open({ model: bundled('first-stage') }), await open({})];
    const [quick, slow] = [await first.score(TEXTS), await second.score(TEXTS)];
    // Half of the texts are below it.
    const middle = [...TEXTS.keys()].map((row) => Math.max(...quick.scores.subarray(row * 3, row * 3 + 3)));
    const low = middle.toSorted((a, b) => a - b)[2]!;
    const both = await createCascade(first, second, bands(low, 1)).score(TEXTS);
    expect(both.counts['first_stage']).toBe(2);
    TEXTS.forEach((_, row) => {
      const expected = middle[row]! < low ? quick : slow;
      const rowOf = (scores: Float32Array) => scores.slice(row * 3, row * 3 + 3);
      rowOf(both.scores).forEach((score, i) => expect(score).toBeCloseTo(rowOf(expected.scores)[i]!, 5));
    });
    await Promise.all([first.close(), second.close()]);
  });

  it('lets the second stage have what the first cannot score', async () => {
    const [first, second] = [await open({ model: bundled('first-stage') }), await open({})];
    const { counts, scores } = await createCascade(first, second, bands(1, 1)).score(['', ' ', 'hello']);
    expect(counts['first_stage']).toBe(1);
    expect([...scores.subarray(0, 6)]).toEqual([...(await second.score(['', ' '])).scores]);
    await Promise.all([first.close(), second.close()]);
  });

  it('has the id of both, and labels, thresholds and languages of the second', async () => {
    const [both, second] = [await cascade(), await open({})];
    expect(both.model).toMatch(new RegExp(`^${second.model} after first-stage@`));
    expect(both.labels).toEqual(second.labels);
    expect(both.thresholds).toEqual(second.thresholds);
    expect(both.languages).toEqual(second.languages);
    await Promise.all([both.close(), second.close()]);
  });

  it('decides plain texts alone with the bundled band, and counts them', async () => {
    const both = await cascade();
    const { counts } = await both.score(TEXTS);
    expect(counts['first_stage']).toBeGreaterThan(0);
    expect(counts['first_stage']).toBeLessThan(TEXTS.length);
    await both.close();
  });

  it.each([
    ['a label without a band', { band: { toxic: [0.1, 0.9] } }, 'expected an entry for "hate"'],
    ['a band of no label', { band: { ...bands(0, 1), toxik: [0, 1] } }, 'did you mean "toxic"'],
  ])('refuses %s', async (name, options, message) => {
    await expect(cascade(options), name).rejects.toThrow(message);
  });

  it('refuses a first stage without a band, and one that does not know a label', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-first-'));
    cpSync(bundled('first-stage'), folder, { recursive: true });
    const file = join(folder, 'sluice.yaml');
    writeFileSync(file, readFileSync(file, 'utf8').replace(/^band:\n(?: .*\n)+/m, ''));
    await expect(open({ cascade: { first: folder } })).rejects.toThrow('sluice cascade fit');
    const other = join(import.meta.dirname, 'fixtures/bert');
    await expect(cascade({ first: other, band: bands(0, 1) })).rejects.toThrow('to know "toxic"');
  });
});

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { queryObjects } from 'node:v8';
import { Piscina } from 'piscina';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { stringify } from 'yaml';
import { configFrom, type Config } from '../src/config.ts';
import { describeClassify } from '../src/describe-classify.ts';
import { MisconfiguredError } from '../src/errors.ts';
import { createEvents, type Events } from '../src/events.ts';
import { resolveClassify } from '../src/resolve-classify.ts';
import type { ScoredBatch } from '../src/types.ts';
import { startWorkers, type Workers, type WorkersOptions } from '../src/workers.ts';
import { writeVariant } from './classify/fixtures/variant.ts';
import { rawBatch } from './ingest/raw-batch.ts';

let directory: string;
let events: Events;
let workers: Workers | undefined;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sluice-workers-'));
  events = createEvents('silent');
});
afterEach(async () => {
  await workers?.close();
  workers = undefined;
  rmSync(directory, { recursive: true, force: true });
});

const configOf = (classify: object): Config =>
  configFrom(
    { source: { type: 'file', inputs: ['-'] }, classify: { language: 'off', ...classify } },
    directory,
  );
const begin = async (config: Config, options: WorkersOptions = {}) =>
  (workers = await startWorkers(config, events, { count: 2, ...options }));
const batch = (count: number, first = 0) =>
  rawBatch(
    Array.from({ length: count }, (_, i) =>
      JSON.stringify({ customer: 'acme', text: i % 2 === 0 ? 'you are an idiot' : 'hello world' }),
    ),
    { first },
  );
const actions = (scored: readonly ScoredBatch[]) => scored.map(({ tally }) => tally.actions['acme']);
const modelOf = (scored: readonly ScoredBatch[]) =>
  scored.flatMap(({ work = [] }) => work.map(({ model }) => model));
const value = async (name: string) => (await events.metrics.registry.getSingleMetric(name)!.get()).values;

describe('workers that change what they run', () => {
  const policy = (review: number) => stringify({ default: { labels: { toxic: { review } } } });

  it('decide by a policy file, and by the next one once it has taken over', async () => {
    writeVariant(join(directory, 'model'), {});
    const file = join(directory, 'policies.yaml');
    writeFileSync(file, policy(0.9));
    const config = configOf({ model: './model', policies_from: './policies.yaml' });
    const running = await begin(config);
    expect(actions(await running.classify(batch(4)))).toEqual([[2, 2, 0]]);
    const policyId = running.facts.policy;

    writeFileSync(file, policy(0.99));
    const next = await resolveClassify(config.classify);
    expect(next.fingerprint).not.toBe(running.resolved.fingerprint);
    await running.replace(next);
    expect(actions(await running.classify(batch(4, 4)))).toEqual([[4, 0, 0]]);
    expect(running.facts.policy).not.toBe(policyId);
    expect(running.resolved).toBe(next);
    expect((await resolveClassify(config.classify)).fingerprint).toBe(next.fingerprint);

    writeFileSync(file, 'default: { labels: { txic: { review: 0.1 } } }');
    const wrong = await resolveClassify(config.classify);
    await expect(running.replace(wrong)).rejects.toThrow(/got "txic"; did you mean "toxic"\?$/);
    writeFileSync(file, 'default: [');
    await expect(resolveClassify(config.classify)).rejects.toThrow(/policies\.yaml:1:\d+/);
    expect(actions(await running.classify(batch(4, 8)))).toEqual([[4, 0, 0]]);
  });

  it('finish by the old model what was given before, and do everything after by the new one', async () => {
    const models = join(directory, 'models');
    writeVariant(join(models, '1.0.0'), { version: '1.0.0' });
    const config = configOf({ model: './models', duplicates: 'off' });
    const running = await begin(config);
    const before = Array.from({ length: 12 }, (_, i) => running.classify(batch(200, i * 200)));
    writeVariant(join(models, '2.0.0'), { version: '2.0.0' });
    await running.replace(await resolveClassify(config.classify));
    const after = Array.from({ length: 12 }, (_, i) => running.classify(batch(200, 2400 + i * 200)));
    for (const scored of await Promise.all(before)) expect(modelOf(scored)).toEqual(['tiny@1.0.0']);
    for (const scored of await Promise.all(after)) expect(modelOf(scored)).toEqual(['tiny@2.0.0']);
    expect((await value('sluice_classify_models')).map(({ labels }) => labels['id'])).toEqual(['tiny@2.0.0']);
    expect((await value('sluice_classify_reloads_total'))[0]).toMatchObject({
      value: 1,
      labels: { outcome: 'reloaded' },
    });
  });

  it('leave nothing of the threads that they replaced, nor of those that could not begin', async () => {
    const file = join(directory, 'policies.yaml');
    writeVariant(join(directory, 'model'), {});
    writeFileSync(file, policy(0.9));
    const config = configOf({ model: './model', policies_from: './policies.yaml' });
    const pools = () => queryObjects(Piscina, { format: 'count' });
    const before = pools();
    const running = await begin(config, { count: 1 });
    for (const review of [0.8, 0.7, 0.6]) {
      writeFileSync(file, policy(review));
      await running.replace(await resolveClassify(config.classify));
      writeFileSync(file, 'default: { labels: { txic: {} } }');
      await expect(running.replace(await resolveClassify(config.classify))).rejects.toThrow('txic');
    }
    await vi.waitFor(() => expect(pools()).toBe(before + 1), 10_000);
  });

  it('keep what they run when the new model does not fit the pipeline', async () => {
    const models = join(directory, 'models');
    writeVariant(join(models, '1.0.0'), { version: '1.0.0' });
    const config = configOf({ model: './models' });
    const running = await begin(config, {
      accept({ labels }) {
        if (!labels.includes('toxic')) throw new MisconfiguredError('sinks.a: labels: expected toxic');
      },
    });
    writeVariant(join(models, '2.0.0'), { version: '2.0.0', labels: ['x', 'y', 'z'] });
    await expect(running.replace(await resolveClassify(config.classify))).rejects.toThrow('sinks.a: labels');
    writeVariant(join(models, '3.0.0'), { version: '3.0.0', labels: ['toxic', 'Hate', 'spam'] });
    await expect(running.replace(await resolveClassify(config.classify))).rejects.toThrow(
      'label "Hate": expected the spelling of what runs, "hate"',
    );
    expect(modelOf(await running.classify(batch(2)))).toEqual(['tiny@1.0.0']);
    expect(running.hung()).toBeUndefined();
  });

  it('count what each model does', async () => {
    writeVariant(join(directory, 'a'), { name: 'a', thresholds: { toxic: { review: 0.99 } } });
    writeVariant(join(directory, 'b'), { name: 'b', thresholds: { toxic: { block: 0.5 } } });
    const config = configOf({
      models: { next: { model: './b', role: 'shadow', duplicates: '1MiB' }, now: { model: './a' } },
    });
    const running = await begin(config, { count: 1 });
    for (const first of [0, 10])
      for (const scored of await running.classify(batch(10, first))) events.batchScored(scored);
    expect(await value('sluice_classify_texts_total')).toMatchObject([
      { value: 20, labels: { model: 'next' } },
      { value: 20, labels: { model: 'now' } },
    ]);
    expect(await value('sluice_classify_shadow_disagreements_total')).toMatchObject([
      { value: 10, labels: { model: 'next', decided: 'allow', shadow: 'block' } },
    ]);
    const answered = await value('sluice_classify_answered_texts_total');
    expect(answered).toContainEqual({
      value: expect.any(Number),
      labels: { model: 'next', by: 'duplicate' },
    });
    expect(describeClassify(running)).toBe(
      [
        'classify.models.next: b@1.0.0; shadow, decides nothing; labels toxic, hate, spam; all languages',
        'classify.models.now: a@1.0.0; labels toxic, hate, spam; all languages',
      ].join('\n'),
    );
  });
});

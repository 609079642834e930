import { describe, expect, it, vi } from 'vitest';
import { classifyConfig } from '../src/classify/index.ts';
import { MisconfiguredError, RetryableError } from '../src/errors.ts';
import { startReload } from '../src/reload.ts';
import type { ResolvedClassify } from '../src/resolve-classify.ts';

const resolved = (fingerprint: string, offline: string[] = []): ResolvedClassify => ({
  config: classifyConfig.parse({}),
  fingerprint,
  offline,
});

/** A watch over a world that each look moves on by one step. */
function watch(
  steps: readonly (ResolvedClassify | Error)[],
  options: { broken?: readonly string[]; away?: readonly string[] } = {},
) {
  const log: string[] = [];
  const { promise: over, resolve: end } = Promise.withResolvers<void>();
  let step = 0;
  let away = [...(options.away ?? [])];
  const reload = startReload({
    interval: 1,
    running: resolved('a'),
    resolve() {
      const next = steps[step++];
      if (step > steps.length) end();
      if (next === undefined) return new Promise(() => undefined);
      return next instanceof Error ? Promise.reject(next) : Promise.resolve(next);
    },
    replace({ fingerprint }) {
      if (away.includes(fingerprint)) {
        away = away.filter((each) => each !== fingerprint);
        return Promise.reject(new RetryableError(`${fingerprint} is away`));
      }
      if (options.broken?.includes(fingerprint))
        return Promise.reject(new MisconfiguredError(`${fingerprint} is broken`));
      log.push(fingerprint);
      return Promise.resolve();
    },
    events: {
      reloadRefused: (error) => log.push(`refused: ${error.message}`),
      reloadDelayed: (reason) => log.push(`delayed: ${reason}`),
    },
    onFailure: (error) => {
      log.push(`failed: ${String(error)}`);
      end();
    },
  });
  return { log, over, reload };
}

describe('startReload', () => {
  it('replaces what has changed, and nothing else', async () => {
    const { log, over } = watch(['a', 'a', 'b', 'b', 'a', 'c'].map((name) => resolved(name)));
    await over;
    expect(log).toEqual(['b', 'a', 'c']);
  });

  it('refuses what cannot work once, and tries it again only after something else', async () => {
    const steps = ['x', 'x', 'x', 'b', 'x', 'x'].map((name) => resolved(name));
    const { log, over } = watch(steps, { broken: ['x'] });
    await over;
    expect(log).toEqual(['refused: x is broken', 'b', 'refused: x is broken']);
  });

  it('does not load again what runs, when a refused one is taken back', async () => {
    const { log, over } = watch(
      ['x', 'a', 'x'].map((name) => resolved(name)),
      { broken: ['x'] },
    );
    await over;
    expect(log).toEqual(['refused: x is broken', 'refused: x is broken']);
  });

  it('says once that something cannot be read, until it says something else', async () => {
    const bad = () => new MisconfiguredError('policies.yaml:3:1 expected a map');
    const { log, over } = watch([
      bad(),
      bad(),
      new MisconfiguredError('policies.yaml: nothing'),
      resolved('b'),
      bad(),
    ]);
    await over;
    expect(log).toEqual([
      'refused: policies.yaml:3:1 expected a map',
      'refused: policies.yaml: nothing',
      'b',
      'refused: policies.yaml:3:1 expected a map',
    ]);
  });

  it('asks a server that is away again, and loads what it then has', async () => {
    const steps = [
      new RetryableError('no answer'),
      resolved('a', ['S3 is away']),
      resolved('b'),
      resolved('b'),
    ];
    const { log, over } = watch(steps, { away: ['b'] });
    await over;
    expect(log).toEqual(['delayed: no answer', 'delayed: S3 is away', 'delayed: b is away', 'b']);
  });

  it('ends with a bug', async () => {
    const { log, over } = watch([new TypeError('a bug'), resolved('b')]);
    await over;
    expect(log).toEqual(['failed: TypeError: a bug']);
  });

  it('stops, after what is under way', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const begun = vi.fn<() => void>();
    const reload = startReload({
      interval: 1,
      running: resolved('a'),
      resolve: () => Promise.resolve(resolved('b')),
      replace: () => {
        begun();
        return promise;
      },
      events: { reloadRefused: () => undefined, reloadDelayed: () => undefined },
      onFailure: () => undefined,
    });
    await vi.waitFor(() => expect(begun).toHaveBeenCalled());
    let isStopped = false;
    const stopping = reload.stop().then(() => (isStopped = true));
    await Promise.resolve();
    expect(isStopped).toBe(false);
    resolve();
    await stopping;
    expect(begun).toHaveBeenCalledTimes(1);
  });
});

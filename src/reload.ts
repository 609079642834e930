import type { ClassifyConfig } from './classify/index.ts';
import { RetryableError, errorOf, isOperational, messageOf } from './errors.ts';
import type { ClassifyEvents } from './classify-events.ts';
import { resolveClassify, type ResolvedClassify } from './resolve-classify.ts';
import type { Workers } from './workers.ts';

/** What the watch uses. */
export interface ReloadOptions {
  /** Milliseconds between two looks. */
  readonly interval: number;
  /** What the workers run now. */
  readonly running: ResolvedClassify;
  /** Looks what the configuration means now; see resolveClassify. */
  resolve(): Promise<ResolvedClassify>;
  /** Makes the workers run something else; rejects when that cannot work, and then nothing has changed. */
  replace(next: ResolvedClassify): Promise<void>;
  readonly events: Pick<ClassifyEvents, 'reloadRefused' | 'reloadDelayed'>;
  /** Called with a bug; nothing is watched any more then. */
  readonly onFailure: (error: unknown) => void;
}

/** A watch that is on. */
export interface Reload {
  /** Ends it; resolves when a replacement under way has succeeded or failed. */
  stop(): Promise<void>;
}

/** Watches what a configuration names for running workers, or, with `reload: off`, nothing. See {@link startReload}. */
export function watchClassify(
  config: ClassifyConfig,
  workers: Pick<Workers, 'resolved' | 'replace'>,
  options: Pick<ReloadOptions, 'events' | 'onFailure'>,
): Reload {
  if (config.reload === 'off') return { stop: () => Promise.resolve() };
  return startReload({
    ...options,
    interval: config.reload,
    running: workers.resolved,
    resolve: () => resolveClassify(config),
    replace: (next) => workers.replace(next),
  });
}

/**
 * Looks again and again whether what the configuration names has changed, and then replaces what the workers run. What cannot
 * work is refused once, with its reason, and left alone until it changes; meanwhile the workers go on with what they have.
 */
export function startReload(options: ReloadOptions): Reload {
  const { interval, events } = options;
  let running = options.running.fingerprint;
  let refused: string | undefined;
  let lastReason: string | undefined;
  let isStopped = false;
  let timer: NodeJS.Timeout | undefined;
  let attempt: Promise<void> = Promise.resolve();

  function refuse(error: Error): void {
    // A file that does not parse has no fingerprint: it is known by what is wrong with it.
    if (error.message !== lastReason) events.reloadRefused(error);
    lastReason = error.message;
  }

  async function look(): Promise<void> {
    let next: ResolvedClassify | undefined;
    try {
      next = await options.resolve();
      for (const reason of next.offline) events.reloadDelayed(reason);
      const { fingerprint } = next;
      if (isStopped || fingerprint === refused) return;
      if (fingerprint !== running) await options.replace(next);
      running = fingerprint;
      refused = undefined;
      lastReason = undefined;
    } catch (error) {
      if (!isOperational(error)) throw error;
      // A server that is away is asked again; everything else would only fail in the same way.
      if (error instanceof RetryableError) return events.reloadDelayed(messageOf(error));
      refused = next?.fingerprint;
      refuse(errorOf(error));
    }
  }

  function schedule(): void {
    if (isStopped) return;
    timer = setTimeout(() => {
      attempt = look().then(schedule, options.onFailure);
    }, interval);
    timer.unref();
  }

  schedule();
  return {
    async stop() {
      isStopped = true;
      clearTimeout(timer);
      await attempt;
    },
  };
}

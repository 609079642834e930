import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { withLock } from './lock.ts';

/** Where installed programs are kept, for all checkouts: `$SLUICE_CACHE`, `$XDG_CACHE_HOME/sluice` or `~/.cache/sluice`. */
export function cacheDirectory(): string {
  if (process.env.SLUICE_CACHE) return resolve(process.env.SLUICE_CACHE);
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'sluice');
}

/** The lock file of that name, shared by all processes that use this cache. */
export function lockPath(name: string): string {
  return join(cacheDirectory(), 'locks', `${name}.lock`);
}

/** Whether that directory of the cache is there, whole. */
export function isInstalled(name: string): boolean {
  return existsSync(join(cacheDirectory(), name));
}

/**
 * The directory `name` of the cache, built by `build` when it is not there. `build` fills a temporary directory, which gets
 * its name only when whole: an interrupted build never counts as installed. Two processes build it once. What `build` makes
 * must not depend on the path that it was given.
 */
export async function installOnce(
  name: string,
  build: (directory: string) => Promise<void>,
): Promise<string> {
  const place = join(cacheDirectory(), name);
  if (isInstalled(name)) return place;
  return withLock(lockPath(name), async () => {
    if (isInstalled(name)) return place;
    console.error(`Installing ${name} into ${place}, once ...`);
    // One name, since the lock lets in one: what a killed build left there is replaced.
    const temporary = join(cacheDirectory(), `.${name}.partial`);
    await rm(temporary, { recursive: true, force: true });
    await mkdir(temporary, { recursive: true });
    try {
      await build(temporary);
      await rename(temporary, place);
    } finally {
      await rm(temporary, { recursive: true, force: true });
    }
    return place;
  });
}

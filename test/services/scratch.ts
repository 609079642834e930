import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeAll, onTestFinished } from 'vitest';
import { cacheDirectory } from '../../scripts/services/cache.ts';
import { SERVICE_NAMES, removeServices } from '../../scripts/services/index.ts';
import { serviceOf } from '../../scripts/services/services.ts';

const MAIN = resolve(import.meta.dirname, '../../scripts/services/main.ts');

const INSTALL_MS = 600_000;

/** Installs services before the tests of a file, so that what a new machine downloads is no part of them. */
export function installBefore(names: readonly string[] = SERVICE_NAMES): void {
  beforeAll(async () => {
    await Promise.all(names.map((name) => serviceOf(name).install()));
  }, INSTALL_MS);
}

/** A directory for services of one test, beside the real one: its file system has what they need. Removed with its services. */
export function scratch(): string {
  const parent = join(cacheDirectory(), 'run');
  mkdirSync(parent, { recursive: true });
  const directory = mkdtempSync(join(parent, 'test-'));
  onTestFinished(async () => {
    await removeServices(undefined, { directory });
    rmSync(directory, { recursive: true, force: true });
  });
  return directory;
}

/** Runs the command line of the services over `directory`. */
export function services(
  directory: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  return new Promise((done) => {
    execFile(
      process.execPath,
      [MAIN, ...args],
      { env: { ...process.env, SLUICE_SERVICES_DIRECTORY: directory, ...env } },
      (error, stdout, stderr) => done({ code: error ? Number(error.code) : 0, stdout, stderr }),
    );
  });
}

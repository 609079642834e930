import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { findOnPath, requireTools } from '../../scripts/services/tools.ts';
import { scratch } from './scratch.ts';

afterEach(() => vi.unstubAllEnvs());

/** Directories, each with an executable file of that name; one that is not executable is in the first. */
function directoriesWith(command: string): [string, string, string] {
  const root = scratch();
  const directories = ['not-executable', 'first', 'second'].map((name) => join(root, name));
  for (const directory of directories) {
    mkdirSync(directory);
    writeFileSync(join(directory, command), '');
  }
  for (const directory of directories.slice(1)) chmodSync(join(directory, command), 0o755);
  return directories as [string, string, string];
}

it('a tool is found on the PATH, else in its own directories, the best first', async () => {
  const [unusable, first, second] = directoriesWith('some-server');
  vi.stubEnv('PATH', unusable);
  const tool = { command: 'some-server', packages: ['some'], directories: () => [unusable, first, second] };
  expect(findOnPath('some-server')).toBeUndefined();
  expect(await requireTools('it', [tool])).toEqual([join(first, 'some-server')]);
  vi.stubEnv('PATH', second);
  expect(await requireTools('it', [tool])).toEqual([join(second, 'some-server')]);
});

it('a tool that is in none of its directories is named with its package', async () => {
  const [unusable] = directoriesWith('some-server');
  vi.stubEnv('PATH', '');
  const tool = { command: 'some-server', packages: ['some'], directories: () => [unusable] };
  await expect(requireTools('it', [tool])).rejects.toThrow(
    'it needs some-server on the PATH: not found; install with `apt-get install some`',
  );
});

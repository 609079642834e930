import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { MisconfiguredError, messageOf } from '../../src/errors.ts';
import { lockPath } from './cache.ts';
import { execute } from './execute.ts';
import { withLock } from './lock.ts';

/** A program that a service needs from the machine. */
export interface Tool {
  /** Its name on the PATH. */
  readonly command: string;
  /** Debian packages that bring it. */
  readonly packages: readonly string[];
  /** What it must be, for messages, such as `java 17 or newer`. Default: its name. */
  readonly description?: string;
  /** Where else it may be than on the PATH, the best first. Default: nowhere. */
  readonly directories?: () => readonly string[];
  /** Whether the program found there is good enough; a rejection is a no. Default: any is. */
  readonly suffices?: (path: string) => Promise<boolean>;
}

/** Tells dpkg's scripts not to start what a package brings: https://people.debian.org/~hmh/invokerc.d-policyrc.d-specification.txt */
const POLICY = '/usr/sbin/policy-rc.d';

/** The full path of a program on the PATH, else in `directories`; undefined when it is in none of them. */
export function findOnPath(command: string, directories: readonly string[] = []): string | undefined {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .filter((directory) => directory !== '')
    .concat(directories)
    .map((directory) => join(directory, command))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return statSync(path).isFile();
      } catch {
        return false;
      }
    });
}

/**
 * The paths of tools, in their order. Those that are missing are installed by apt-get when this process is root; else
 * throws MisconfiguredError with all that are missing for `purpose` and the command that installs them.
 */
export async function requireTools(purpose: string, tools: readonly Tool[]): Promise<string[]> {
  let missing = await missingOf(tools);
  let failure = '';
  const apt = findOnPath('apt-get');
  if (missing.length > 0 && apt && process.getuid?.() === 0) {
    try {
      await aptInstall(apt, packagesOf(missing));
    } catch (error) {
      failure = ` (tried; ${messageOf(error)})`;
    }
    missing = await missingOf(tools);
  }
  if (missing.length > 0) {
    const names = missing.map(({ command, description }) => description ?? command).join(', ');
    throw new MisconfiguredError(
      `${purpose} needs ${names} on the PATH: not found; install with \`apt-get install ${packagesOf(missing).join(' ')}\`${failure}`,
    );
  }
  return tools.map((tool) => pathOf(tool)!);
}

function pathOf({ command, directories }: Tool): string | undefined {
  return findOnPath(command, directories?.());
}

function packagesOf(tools: readonly Tool[]): string[] {
  return tools.flatMap(({ packages }) => packages);
}

async function missingOf(tools: readonly Tool[]): Promise<Tool[]> {
  const found = await Promise.all(
    tools.map(async (tool) => {
      const path = pathOf(tool);
      if (!path) return false;
      return tool.suffices ? tool.suffices(path).catch(() => false) : true;
    }),
  );
  return tools.filter((_tool, index) => !found[index]);
}

async function aptInstall(apt: string, packages: readonly string[]): Promise<void> {
  await withLock(lockPath('apt'), async () => {
    console.error(`Installing ${packages.join(' ')} with apt-get ...`);
    const env = { DEBIAN_FRONTEND: 'noninteractive' };
    const options = ['-y', '-q', '-o', 'DPkg::Lock::Timeout=300'];
    const hold = !existsSync(POLICY);
    if (hold) await writeFile(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
    try {
      await execute(apt, [...options, 'update'], { env });
      await execute(apt, [...options, '--no-install-recommends', 'install', ...packages], { env });
    } finally {
      if (hold) await rm(POLICY, { force: true });
    }
  });
}

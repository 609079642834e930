import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MisconfiguredError } from '../../src/errors.ts';
import { requireTools } from '../../scripts/services/tools.ts';

/** Where distributions keep libfaketime, below a directory for the machine's kind on Debian. */
const LIBRARIES = ['/usr/lib', '/usr/local/lib', '/usr/lib64'];

/** A wall clock that can be moved while the process that has it runs. Its monotonic clock is the real one. */
export interface Clock {
  /** Environment of a process that shall have this clock. */
  readonly env: Readonly<Record<string, string>>;
  /** Moves it to so many seconds from the real time. */
  set(seconds: number): void;
}

/** Makes a clock that is right, kept in `file`. Throws MisconfiguredError when libfaketime is neither there nor can be installed. */
export async function createClock(file: string): Promise<Clock> {
  await requireTools('a clock that jumps', [{ command: 'faketime', packages: ['faketime'] }]);
  const set = (seconds: number) => writeFileSync(file, `${seconds < 0 ? '-' : '+'}${Math.abs(seconds)}\n`);
  set(0);
  return {
    env: {
      LD_PRELOAD: library(),
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    },
    set,
  };
}

function library(): string {
  const places = LIBRARIES.flatMap((directory) => [
    directory,
    ...list(directory).map((name) => join(directory, name)),
  ]);
  const found = places
    .map((place) => join(place, 'faketime', 'libfaketime.so.1'))
    .find((file) => list(join(file, '..')).length > 0);
  if (!found)
    throw new MisconfiguredError(
      `expected faketime/libfaketime.so.1 below ${LIBRARIES.join(', ')}, got nothing: is the package faketime whole?`,
    );
  return found;
}

function list(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

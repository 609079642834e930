import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { OperationalError } from '../../src/errors.ts';
import { bringUp, halt } from './lifecycle.ts';
import type { Command, Service } from './service.ts';

/** Name of the archive in its directory. */
export const CLASSES = 'classes.jsa';
/** Writing the archive at exit takes seconds, more on a busy machine. */
const EXIT_MS = 120_000;

/**
 * Runs the broker once so that the JVM leaves an archive of its loaded classes in `directory`, which halves the start of
 * every later one (https://docs.oracle.com/en/java/javase/17/vm/class-data-sharing.html). The archive is bound to the paths
 * of the jars: they must be where they stay. A JVM of another version ignores it.
 */
export async function recordClasses(
  kafka: Service,
  installed: string,
  directory: string,
  commandWith: (flag: string) => Command,
): Promise<void> {
  const archive = join(directory, CLASSES);
  const root = join(directory, 'run');
  const recording: Service = {
    ...kafka,
    install: async () => installed,
    command: () => commandWith(`-XX:ArchiveClassesAtExit=${archive}`),
  };
  await bringUp(recording, root);
  await halt(recording, root, { graceMs: EXIT_MS });
  await rm(root, { recursive: true });
  if (!existsSync(archive)) throw new OperationalError(`expected java to leave ${archive}, it did not`);
}

import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { CorruptError, messageOf } from '../../src/errors.ts';
import { cacheDirectory } from './cache.ts';

const ROOT = resolve(import.meta.dirname, '../..');

const stateSchema = z.strictObject({
  ports: z.record(z.string(), z.int()),
  /** Null: stopped on purpose, data and ports kept. */
  process: z.strictObject({ pid: z.int().positive(), started: z.string() }).nullable(),
});

/** What is remembered of a service from its first start until `down`. */
export type ServiceState = Readonly<z.infer<typeof stateSchema>>;

/** Where services run: `$SLUICE_SERVICES_DIRECTORY`, else one directory per checkout, outside it. */
export function runDirectory(): string {
  if (process.env.SLUICE_SERVICES_DIRECTORY) return resolve(process.env.SLUICE_SERVICES_DIRECTORY);
  return join(cacheDirectory(), 'run', createHash('sha256').update(ROOT).digest('hex').slice(0, 12));
}

/** The directory of one service. */
export function serviceDirectory(run: string, name: string): string {
  return join(run, name);
}

/** What is known of a service; undefined when it was never started. Throws CorruptError when the file is damaged. */
export async function readState(run: string, name: string): Promise<ServiceState | undefined> {
  const file = join(serviceDirectory(run, name), 'state.json');
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return stateSchema.parse(JSON.parse(text));
  } catch (error) {
    throw new CorruptError(
      `${file}: expected the state of ${name}, got something else; end its process and remove ${serviceDirectory(run, name)}: ${messageOf(error)}`,
      { cause: error },
    );
  }
}

/** Remembers the state, whole or not at all. */
export async function writeState(run: string, name: string, state: ServiceState): Promise<void> {
  const file = join(serviceDirectory(run, name), 'state.json');
  await mkdir(serviceDirectory(run, name), { recursive: true });
  await writeFile(`${file}.tmp`, JSON.stringify(state, undefined, 2));
  await rename(`${file}.tmp`, file);
}

/** Forgets a service and removes its data. */
export async function removeState(run: string, name: string): Promise<void> {
  await rm(serviceDirectory(run, name), { recursive: true, force: true, maxRetries: 5 });
}

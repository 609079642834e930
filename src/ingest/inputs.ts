import { existsSync } from 'node:fs';
import { glob, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError, messageOf } from '../errors.ts';

/** How standard input is named among the inputs. */
export const STDIN = '-';

/** Whether an input is an object in S3, which is fetched when its turn comes. */
export function isRemote(input: string): boolean {
  return input.startsWith('s3://');
}

/**
 * The real paths (and `-`, and `s3://` addresses as they are) that paths and globs stand for: each once, those of a glob
 * sorted, else in the given order.
 * Throws InputError for a path that is not there, a glob without a match, and a directory.
 */
export async function resolveInputs(inputs: readonly string[]): Promise<string[]> {
  const resolved = new Set<string>();
  for (const input of inputs) {
    if (input === STDIN || isRemote(input)) resolved.add(input);
    else for (const path of await expand(input)) resolved.add(await realFile(path));
  }
  return [...resolved];
}

async function expand(input: string): Promise<string[]> {
  // A file may have a name that looks like a glob.
  if (!/[*?[{]/.test(input) || existsSync(input)) return [input];
  const matches: string[] = [];
  for await (const entry of glob(input, { withFileTypes: true })) {
    if (!entry.isDirectory()) matches.push(join(entry.parentPath, entry.name));
  }
  if (matches.length === 0)
    throw new InputError(`${input}: expected a glob that matches files, got no match`);
  return matches.toSorted();
}

async function realFile(path: string): Promise<string> {
  let real: string;
  let isDirectory: boolean;
  try {
    real = await realpath(path);
    isDirectory = (await stat(real)).isDirectory();
  } catch (error) {
    throw readFailure(path, error);
  }
  if (isDirectory)
    throw new InputError(`${path}: expected a file, got a directory (for the files in it: ${path}/*)`);
  return real;
}

/** An InputError of one line that names the file; one that is there already stays. */
export function readFailure(path: string, error: unknown): InputError {
  if (error instanceof InputError) return error;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT') return new InputError(`${path}: expected a file, got no such file`);
  if (code === 'EACCES') return new InputError(`${path}: expected a readable file, got permission denied`);
  // DuckDB shows its query below.
  return new InputError(`${path}: cannot be read: ${messageOf(error).split('\n', 1)[0]!}`);
}

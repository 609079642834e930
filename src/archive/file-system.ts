import type { Dirent } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { StoreError, messageOf } from '../errors.ts';

/** Content of a file, undefined when there is none. Throws StoreError. */
export async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined;
    throw new StoreError(`cannot read a manifest: ${describe(error, path)}`, { cause: error });
  }
}

/** Bytes of a file, undefined when there is none. */
export async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** Whether an error of the file system has a code such as `ENOENT`. */
export function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota is used up',
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  EROFS: 'the file system is read-only',
  ENOTDIR: 'a part of the path is not a directory',
  EEXIST: 'it is there already',
  EMFILE: 'too many open files',
};

/** A path and what the file system says of it, for whoever has to mend it. */
export function describe(error: unknown, path: string): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return `${path}: ${REASONS[code] ?? messageOf(error)}${code ? ` (${code})` : ''}`;
}

/** Milliseconds since a file was last written; 0 when there is none. */
export async function ageOf(path: string): Promise<number> {
  const found = await stat(path).catch(() => undefined);
  return found ? Date.now() - found.mtimeMs : 0;
}

/** Everything below a directory, which may not be there. Throws StoreError. */
export async function entriesBelow(root: string): Promise<Dirent[]> {
  try {
    return await readdir(root, { recursive: true, withFileTypes: true });
  } catch (error) {
    if (isCode(error, 'ENOENT')) return [];
    throw new StoreError(`cannot list the files of the archive: ${describe(error, root)}`, { cause: error });
  }
}

/** Names in a directory, which may not be there. Throws StoreError. */
export async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (isCode(error, 'ENOENT')) return [];
    throw new StoreError(`cannot list manifests: ${describe(error, directory)}`, { cause: error });
  }
}

import { readdir, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { shardPath } from './archive/index.ts';
import { InputError, messageOf, MisconfiguredError } from './errors.ts';
import {
  createParquetReader,
  isArchived,
  isParquet,
  isRemote,
  resolveInputs,
  type ParquetReader,
} from './ingest/index.ts';
import { createObjectFiles } from './object-files.ts';
import type { S3ConnectionConfig } from './s3-connection-config.ts';

/** Names of objects that hold messages, or rows; anything else in S3 is the folder of an archive. */
const FILE_NAME = /\.(parquet|jsonl|ndjson|json|gz)$/i;
const DAY_MILLIS = 86_400_000;

/** Which files of an archive are wanted, as far as their paths tell. */
export interface SliceBounds {
  readonly customer?: string | undefined;
  /** Event time from, and before, milliseconds UTC. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
}

/** What is scored. */
export interface ScoreInputs {
  /** `archive`: files of an archive, with the decisions made before. */
  readonly kind: 'archive' | 'messages';
  /** Inputs of a file source. */
  readonly inputs: readonly string[];
  /** Bytes of those in S3, where they are known. */
  readonly sizes: ReadonlyMap<string, number>;
}

/**
 * Finds what is to be scored: files, globs and `-` stay as they are; a directory, or a prefix in S3, is an archive, of which
 * the files of the slice are listed. A Parquet file with the columns of an archive is one of an archive, too. Throws
 * MisconfiguredError when there is nothing, and for messages beside archives, which have their fields elsewhere.
 */
export async function findScoreInputs(
  wanted: readonly string[],
  { bounds, s3 }: { readonly bounds: SliceBounds; readonly s3: S3ConnectionConfig },
): Promise<ScoreInputs> {
  const kinds = new Map<'archive' | 'messages', string>();
  const inputs: string[] = [];
  const sizes = new Map<string, number>();
  for (const input of wanted) {
    const isFolder = isRemote(input) ? !FILE_NAME.test(input) : await isDirectory(input);
    if (!isFolder) {
      const files = isRemote(input) ? [input] : await resolveInputs([input]);
      inputs.push(...files);
      // All that a glob stands for: of one kind only the columns are known.
      for (const isArchive of await areArchiveFiles(files))
        kinds.set(isArchive ? 'archive' : 'messages', input);
      continue;
    }
    const files = isRemote(input) ? await objectsBelow(input, s3) : await filesBelow(input);
    const content = files.filter(({ name }) => isWithin(name, {}));
    const chosen = content.filter(({ name }) => isWithin(name, bounds));
    if (chosen.length === 0)
      throw new MisconfiguredError(
        `${input}: expected the folder of an archive with files of the slice, got ${content.length === 0 ? 'no Parquet files' : `${content.length} files of others`}`,
      );
    for (const { path, bytes } of chosen) {
      inputs.push(path);
      if (bytes !== undefined) sizes.set(path, bytes);
    }
    kinds.set('archive', input);
  }
  if (kinds.size > 1)
    throw new MisconfiguredError(
      `expected archives or messages, got the archive ${kinds.get('archive')} beside the messages ${kinds.get('messages')}: score them one after the other`,
    );
  return { kind: [...kinds.keys()][0] ?? 'messages', inputs, sizes };
}

/**
 * Whether a file of an archive may hold rows of a slice, by its path below the archive's root. What lies below a name that
 * begins with `_` or a dot is none of its content. Pure.
 */
export function isWithin(path: string, { customer, from, to }: SliceBounds): boolean {
  const parts = path.split('/');
  if (!path.endsWith('.parquet') || parts.some((part) => /^[_.]/.test(part))) return false;
  for (const part of parts) {
    if (customer !== undefined && part.startsWith('customer=')) {
      if (`${part}/` !== shardPath({ customer, day: '' }, ['customer'])) return false;
    } else if (part.startsWith('dt=')) {
      // Times outside the calendar have no day, and are in no range.
      const day = Date.parse(part.slice(3));
      if (Number.isNaN(day) && (from !== undefined || to !== undefined)) return false;
      if (from !== undefined && day + DAY_MILLIS <= from) return false;
      if (to !== undefined && day >= to) return false;
    }
  }
  return true;
}

interface Found {
  /** Below the root, with `/`. */
  readonly name: string;
  readonly path: string;
  readonly bytes?: number;
}

async function filesBelow(root: string): Promise<Found[]> {
  const entries = await readdir(root, { recursive: true });
  return entries.toSorted().map((entry) => ({ name: entry.replaceAll(sep, '/'), path: join(root, entry) }));
}

async function objectsBelow(url: string, s3: S3ConnectionConfig): Promise<Found[]> {
  const objects = createObjectFiles(s3);
  try {
    const folder = url.endsWith('/') ? url : `${url}/`;
    const listed = await objects.list(folder);
    return listed.map(({ name, bytes }) => ({ name, bytes, path: `${folder}${name}` }));
  } finally {
    objects.close();
  }
}

async function isDirectory(input: string): Promise<boolean> {
  // What is not there is refused, or expanded as a glob, with all other files.
  return (await stat(input).catch(() => undefined))?.isDirectory() ?? false;
}

async function areArchiveFiles(paths: readonly string[]): Promise<boolean[]> {
  const reader = createParquetReader();
  try {
    const found: boolean[] = [];
    for (const path of paths) found.push(await isArchiveFile(path, reader));
    return found;
  } finally {
    reader.close();
  }
}

async function isArchiveFile(path: string, reader: ParquetReader): Promise<boolean> {
  // An object is not fetched to be looked into: archives have days in their paths.
  if (isRemote(path)) return /\/dt=[^/]+\/[^/]+\.parquet$/.test(path);
  if (path === '-') return false;
  try {
    return (await isParquet(path)) && isArchived((await reader.describe(path)).columns);
  } catch (error) {
    throw new InputError(`${path}: cannot be read: ${messageOf(error).split('\n', 1)[0]!}`, {
      cause: error,
    });
  }
}

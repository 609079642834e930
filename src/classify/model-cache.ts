import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MisconfiguredError } from '../errors.ts';
import type { ObjectFiles } from '../object-files.ts';
import { sha256Later, sha256OfText } from './checksum.ts';
import type { FoundVersion } from './find-version.ts';
import { parseManifest } from './model-folder.ts';
import { namesVersion, newestFirst } from './versions.ts';

/** Versions of a model that stay in the cache, and how long any of them stays after its last use: other processes may run it. */
const KEPT = 3;
const KEPT_FOR = 24 * 3_600_000;
/** A download that nobody finished is rubbish after this long. */
const DOWNLOAD_LIMIT = 24 * 3_600_000;

/** A model folder on this machine, and what tells it from the one that the same configuration meant before. */
export interface ResolvedFolder {
  /** Local folder; not read yet. */
  readonly path: string;
  /** Changes whenever the version or its files do. */
  readonly fingerprint: string;
  /** Why S3 could not be asked; then the folder is the newest one downloaded before. */
  readonly offline?: string;
}

/** What is downloaded, from where to where. */
export interface DownloadOptions extends FoundVersion {
  /** Prefix whose sub-folders are the versions. */
  readonly url: string;
  /** Folder of the cache for this model. */
  readonly directory: string;
  readonly files: ObjectFiles;
  /** Changes with the content of any file of the version. */
  readonly etags: string;
}

/** Versions whose checksums did not hold, by folder: not downloaded again by this process until one of their files changes. */
const refused = new Map<string, { readonly etags: string; readonly error: MisconfiguredError }>();

/**
 * The folder of a version in the cache; downloaded first, where it is not there yet: under a name of its own, renamed when
 * all its files have the checksums of the manifest, so that a folder in the cache is complete. Also marks it as used and
 * removes old ones. Throws MisconfiguredError for a wrong checksum, and what {@link ObjectFiles} throws.
 */
export async function downloadVersion(options: DownloadOptions): Promise<ResolvedFolder> {
  const { name, text, directory } = options;
  const digest = sha256OfText(text);
  const entry = `${name === '' ? 'model' : name}-${digest.slice(0, 12)}`;
  const path = join(directory, entry);
  if (!(await exists(path))) await download(options, path);
  const now = new Date();
  // Only its owner may mark it as used: a cache can be another user's, or read-only.
  await utimes(path, now, now).catch(() => undefined);
  await sweep(directory, entry);
  return { path, fingerprint: entry };
}

/** The newest complete folder of the cache that a version means; undefined when there is none. */
export async function cachedVersion(directory: string, wanted: string): Promise<ResolvedFolder | undefined> {
  const fitting: Entry[] = [];
  for (const entry of await entriesOf(directory))
    if (wanted === 'newest' || namesVersion(await versionOf(directory, entry), wanted)) fitting.push(entry);
  const [newest] = newestFirst(fitting.map(({ version }) => version));
  // Of one version published twice, the one used last.
  const chosen = fitting.filter(({ version }) => version === newest).toSorted((a, b) => b.used - a.used)[0];
  return chosen && { path: join(directory, chosen.name), fingerprint: chosen.name };
}

async function download(
  { url, name, manifest, text, files, etags }: DownloadOptions,
  path: string,
): Promise<void> {
  const before = refused.get(path);
  if (before?.etags === etags) throw before.error;
  const from = `${url.replace(/\/+$/, '')}${name === '' ? '' : `/${name}`}`;
  const temporary = `${path}.${randomUUID()}.part`;
  try {
    await files.downloadAll(from, temporary, Object.keys(manifest.files));
    for (const [file, expected] of Object.entries(manifest.files)) {
      const got = await sha256Later(join(temporary, file));
      if (got === expected) continue;
      const error = new MisconfiguredError(`${from}/${file}: expected sha256 ${expected}, got ${got}`);
      refused.set(path, { etags, error });
      throw error;
    }
    await writeFile(join(temporary, 'sluice.yaml'), text);
    await rename(temporary, path);
  } catch (error) {
    // Another process was faster: its folder has the same checksums.
    if (!(await exists(path))) throw error;
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

interface Entry {
  readonly name: string;
  readonly version: string;
  readonly used: number;
}

/** A folder that is the model itself has its version in the manifest alone. */
async function versionOf(directory: string, { name, version }: Entry): Promise<string> {
  if (version !== 'model') return version;
  const file = join(directory, name, 'sluice.yaml');
  return parseManifest(await readFile(file, 'utf8'), file).version;
}

async function entriesOf(directory: string): Promise<Entry[]> {
  await mkdir(directory, { recursive: true });
  const names = await readdir(directory);
  const entries = names.map(async (name) => {
    const version = /^(.+)-[0-9a-f]{12}$/.exec(name)?.[1];
    const used = (await stat(join(directory, name)).catch(() => undefined))?.mtimeMs;
    return version === undefined || used === undefined ? [] : [{ name, version, used }];
  });
  return (await Promise.all(entries)).flat();
}

async function sweep(directory: string, current: string): Promise<void> {
  const now = Date.now();
  const old = (await entriesOf(directory))
    .toSorted((a, b) => b.used - a.used)
    .slice(KEPT)
    .filter(({ name, used }) => name !== current && now - used > KEPT_FOR)
    .map(({ name }) => name);
  for (const name of await readdir(directory)) {
    if (!name.endsWith('.part')) continue;
    const changed = (await stat(join(directory, name)).catch(() => undefined))?.mtimeMs ?? now;
    if (now - changed > DOWNLOAD_LIMIT) old.push(name);
  }
  // Rubbish that cannot be removed is in nobody's way.
  for (const name of old)
    await rm(join(directory, name), { recursive: true, force: true }).catch(() => undefined);
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

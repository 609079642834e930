import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { RetryableError } from '../errors.ts';
import { isObjectUrl, type ObjectFile, type ObjectFiles } from '../object-files.ts';
import { sha256OfText } from './checksum.ts';
import { checkVersion, findVersion, type Listing } from './find-version.ts';
import { cachedVersion, downloadVersion, type ResolvedFolder } from './model-cache.ts';
import type { ModelConfig } from './model-config.ts';
import { parseManifest } from './model-folder.ts';

/** What a model folder is found with. */
export interface ModelSourceOptions {
  readonly files: ObjectFiles;
  /** Folder for downloads. */
  readonly cache: string;
}

/**
 * The local folder that `model` and `version` mean now: a folder, the chosen version below one, or one below
 * `s3://bucket/prefix`, downloaded into the cache and compared with the checksums of its manifest. Cheap when nothing is
 * new, so it can be asked again and again. A version counts when its `sluice.yaml` is there and so are all files that it
 * names. Throws MisconfiguredError when there is none or a checksum differs, RetryableError when S3 does not answer and
 * nothing was downloaded before, InputError when there is no room.
 */
export async function resolveModelFolder(
  { model, version }: Pick<ModelConfig, 'model' | 'version'>,
  { files, cache }: ModelSourceOptions,
): Promise<ResolvedFolder> {
  if (!isObjectUrl(model)) return await resolveDirectory(model, version);
  const directory = join(cache, 'models', cacheName(files.origin, model));
  try {
    const objects = await files.list(model);
    const found = await findVersion(listing(model, files, objects), version);
    const etags = sha256OfText(
      objects
        .filter(({ name }) => found.name === '' || name.startsWith(`${found.name}/`))
        .map(({ name, etag }) => `${name} ${etag}`)
        .join('\n'),
    );
    return await downloadVersion({ ...found, etags, url: model, directory, files });
  } catch (error) {
    const cached = error instanceof RetryableError ? await cachedVersion(directory, version) : undefined;
    if (!cached) throw error;
    return { ...cached, offline: (error as Error).message };
  }
}

function listing(url: string, files: ObjectFiles, objects: readonly ObjectFile[]): Listing {
  const place = url.endsWith('/') ? url.slice(0, -1) : url;
  return {
    place,
    names: objects.map(({ name }) => name),
    read: (name) => files.readText(`${place}/${name}`),
  };
}

async function resolveDirectory(path: string, version: string): Promise<ResolvedFolder> {
  const status = await stat(path).catch(() => undefined);
  // What is wrong with it is told by who reads it.
  if (!status?.isDirectory()) return { path, fingerprint: await fingerprintOf(path) };
  if (isModelFolder(await readdir(path))) {
    const file = join(path, 'sluice.yaml');
    if (version !== 'newest')
      checkVersion(
        path,
        '',
        existsSync(file) ? parseManifest(await readFile(file, 'utf8'), file) : { version: 'none' },
        version,
      );
    return { path, fingerprint: await fingerprintOf(path) };
  }
  const versions = await readdir(path);
  const manifests = versions.filter((name) => existsSync(join(path, name, 'sluice.yaml')));
  const below = manifests.map(async (name) =>
    (await filesBelow(join(path, name))).map((file) => `${name}/${file}`),
  );
  const { name } = await findVersion(
    {
      place: path,
      names: [...versions, ...(await Promise.all(below)).flat()],
      read: (file) => readFile(join(path, file), 'utf8'),
    },
    version,
  );
  return { path: join(path, name), fingerprint: await fingerprintOf(join(path, name)) };
}

/** Whether these are the files of one model, not the folders of its versions. */
function isModelFolder(names: readonly string[]): boolean {
  return names.some(
    (name) => ['sluice.yaml', 'config.json', 'onnx'].includes(name) || name.endsWith('.onnx'),
  );
}

async function filesBelow(path: string): Promise<string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(path.length + 1)
        .replaceAll('\\', '/'),
    )
    .toSorted();
}

/** Names, sizes and times of all files; a folder that is not there has one too. */
async function fingerprintOf(path: string): Promise<string> {
  const status = await stat(path).catch(() => undefined);
  if (!status?.isDirectory()) return `${path}:${status ? 'a file' : 'nothing'}`;
  const hash = createHash('sha256').update(path);
  for (const name of await filesBelow(path)) {
    // A file may go while the folder is read; then its absence is what changed.
    const { size = -1, mtimeMs = -1 } = (await stat(join(path, name)).catch(() => undefined)) ?? {};
    hash.update(`\n${name}:${size}:${mtimeMs}`);
  }
  return hash.digest('hex');
}

/** Readable and unambiguous: the same address on two servers has two folders. */
function cacheName(origin: string, url: string): string {
  const last = url
    .replace(/\/+$/, '')
    .split('/')
    .at(-1)!
    .replace(/[^A-Za-z0-9._-]/g, '_');
  return `${last}-${sha256OfText(`${origin} ${url.replace(/\/+$/, '')}`).slice(0, 12)}`;
}

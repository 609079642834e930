import { createHash } from 'node:crypto';
import { readdir, rm, stat, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  cacheDirectory,
  isRemote,
  resolveModelFolder,
  type ClassifyConfig,
  type ModelConfig,
} from './classify/index.ts';
import { createObjectFiles, isObjectUrl, type ObjectFiles } from './object-files.ts';
import { loadPolicies } from './policy-file.ts';
import { s3ConnectionConfig } from './s3-connection-config.ts';

/** How long a downloaded file stays after its last use, milliseconds; processes that never look again may run it. */
const KEPT_FOR = 7 * 24 * 3_600_000;

/** A classify configuration that names only what is on this machine now. */
export interface ResolvedClassify {
  /** Models as local folders of one version each, policies as a map, hash lists as local files. Workers start from it. */
  readonly config: ClassifyConfig;
  /** Changes whenever a model's version or files, the policies or a hash list do. */
  readonly fingerprint: string;
  /** Why S3 could not be asked for some models, which then are those downloaded before; one line each. */
  readonly offline: readonly string[];
}

/**
 * Looks up what a classify configuration names: the newest versions of its models, its policy file, its hash lists; what lies
 * in S3 is downloaded. Cheap when nothing is new. Throws MisconfiguredError, one line, for what is missing or wrong, and
 * RetryableError when S3 does not answer and nothing was downloaded before. Nothing is loaded.
 */
export async function resolveClassify(config: ClassifyConfig): Promise<ResolvedClassify> {
  const files = createObjectFiles(config.s3 ?? s3ConnectionConfig.parse({}));
  const cache = cacheDirectory(config.cache);
  const lookup = { files, cache, seen: [] as string[], offline: [] as string[] };
  try {
    // Beside `models` the keys of one model mean nothing.
    const isOne = Object.keys(config.models).length === 0;
    const resolved = isOne ? { ...config, ...(await resolveModel(config, lookup)) } : config;
    const models: [string, ClassifyConfig['models'][string]][] = [];
    for (const [name, model] of Object.entries(config.models))
      models.push([name, { ...model, ...(await resolveModel(model, lookup)) }]);
    const lists: [string, ClassifyConfig['hash_lists'][string]][] = [];
    for (const [name, list] of Object.entries(config.hash_lists))
      lists.push([name, { ...list, file: await resolveFile(list.file, lookup) }]);
    const { policies_from: from } = resolved;
    const { policies } = from === undefined ? config : await loadPolicies(from, files);
    lookup.seen.push(JSON.stringify(policies));
    return {
      config: {
        // `policies_from` stays, so that errors about its policies can name it.
        ...resolved,
        models: Object.fromEntries(models),
        hash_lists: Object.fromEntries(lists),
        policies,
      },
      fingerprint: createHash('sha256').update(JSON.stringify(lookup.seen)).digest('hex'),
      offline: lookup.offline,
    };
  } finally {
    files.close();
  }
}

/** What one look-up uses, and what it has come across. */
interface Lookup {
  readonly files: ObjectFiles;
  readonly cache: string;
  /** What makes up the fingerprint. */
  readonly seen: string[];
  readonly offline: string[];
}

/** The keys of a model that change: where its folders are. */
async function resolveModel(
  config: ModelConfig,
  lookup: Lookup,
): Promise<Pick<ModelConfig, 'model' | 'cascade' | 'triton'>> {
  const { model, version, cascade, triton } = config;
  const isFolder = model !== 'drop' && !isRemote(config);
  return {
    model: isFolder ? await resolveFolder({ model, version }, lookup) : model,
    ...(cascade
      ? {
          cascade: {
            ...cascade,
            first: await resolveFolder({ model: cascade.first, version: 'newest' }, lookup),
          },
        }
      : {}),
    // Labels, thresholds and the tokenizer are here, whatever the server runs.
    ...(triton?.folder
      ? {
          triton: {
            ...triton,
            folder: await resolveFolder({ model: triton.folder, version: 'newest' }, lookup),
          },
        }
      : {}),
  };
}

async function resolveFolder(
  wanted: Pick<ModelConfig, 'model' | 'version'>,
  { files, cache, seen, offline }: Lookup,
): Promise<string> {
  const found = await resolveModelFolder(wanted, { files, cache });
  seen.push(found.path, found.fingerprint);
  if (found.offline !== undefined) offline.push(`${wanted.model}: ${found.offline}`);
  return found.path;
}

/** A file on this machine: itself, or its download, named by what the object is now. */
async function resolveFile(path: string, { files, cache, seen }: Lookup): Promise<string> {
  if (!isObjectUrl(path)) {
    const { size = -1, mtimeMs = -1, ino = -1 } = (await stat(path).catch(() => undefined)) ?? {};
    seen.push(`${path}:${size}:${mtimeMs}:${ino}`);
    return path;
  }
  const etag = (await files.etagOf(path)) ?? 'nothing';
  seen.push(path, etag);
  const name = createHash('sha256').update(`${files.origin} ${path} ${etag}`).digest('hex').slice(0, 24);
  const local = join(cache, 'files', name);
  if (await stat(local).catch(() => undefined)) {
    const now = new Date();
    // Only its owner may mark it as used.
    await utimes(local, now, now).catch(() => undefined);
    return local;
  }
  await files.download(path, local);
  await sweep(dirname(local));
  return local;
}

/** Removes what no process has looked up for long: each change of an object is another file, and of a crash parts stay. */
async function sweep(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    const file = join(directory, name);
    const { mtimeMs = Infinity } = (await stat(file).catch(() => undefined)) ?? {};
    if (Date.now() - mtimeMs > KEPT_FOR) await rm(file, { force: true }).catch(() => undefined);
  }
}

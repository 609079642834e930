import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { modelsOf, type ClassifyConfig } from './classify/index.ts';
import { MisconfiguredError } from './errors.ts';

/**
 * A digest of what decides under a resolved configuration (see resolveClassify): models, policies and hash lists by their
 * content, wherever they lie and whenever they were written. A model with checksums in its manifest is known by that. What
 * a server runs is not looked at. Throws MisconfiguredError for a model or a hash list that is not there.
 */
export async function contentOf(config: ClassifyConfig): Promise<string> {
  const parts: unknown[] = [config.policies];
  for (const { config: model } of modelsOf(config)) {
    const isServed = Boolean(model.triton ?? model.tei);
    const folders = [
      ...(isServed || model.model === 'drop' ? [] : [model.model]),
      ...(model.cascade ? [model.cascade.first] : []),
      ...(model.triton?.folder ? [model.triton.folder] : []),
    ];
    for (const folder of folders) parts.push(await folderContent(folder));
  }
  for (const [name, { file }] of Object.entries(config.hash_lists)) parts.push(name, await fileContent(file));
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

async function folderContent(folder: string): Promise<unknown> {
  const status = await stat(folder).catch(() => undefined);
  if (!status?.isDirectory())
    throw new MisconfiguredError(`${folder}: expected a model folder, got ${status ? 'a file' : 'nothing'}`);
  const manifest = await readFile(join(folder, 'sluice.yaml'), 'utf8').catch(() => undefined);
  if (manifest !== undefined && /^files:/m.test(manifest)) return manifest;
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name));
  const contents: [string, string][] = [];
  for (const file of files.toSorted()) contents.push([file.slice(folder.length), await fileContent(file)]);
  return contents;
}

async function fileContent(file: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    await pipeline(createReadStream(file), hash);
  } catch (error) {
    throw new MisconfiguredError(`${file}: cannot be read: ${String(error)}`);
  }
  return hash.digest('hex');
}

import { existsSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Document, parseDocument } from 'yaml';
import { MisconfiguredError, messageOf } from '../errors.ts';
import { sha256Later } from './checksum.ts';
import type { ModelManifest } from './manifest.ts';
import { parseManifest } from './model-folder.ts';

/** What a manifest says of a model, where it is to be changed. */
export interface ManifestChanges {
  readonly name?: string | undefined;
  readonly version?: string | undefined;
  /** Texts with their scores by label, instead of those that it has. */
  readonly checks?: ModelManifest['checks'] | undefined;
}

/** Weights of other frameworks and what training leaves behind: large, and not read. */
const NOT_READ =
  /(^|\/)(pytorch_model[^/]*|training_args|optimizer|scheduler|scaler)\.(bin|pt)$|\.(safetensors|h5|msgpack|ot|md|part)$|(^|\/)\./;

/**
 * Writes `sluice.yaml` of a model folder, with the SHA-256 of every file that a version consists of; what else stands in
 * it stays, comments included. Not listed: weights of other frameworks, Markdown, hidden files. Returns what was written.
 * Throws MisconfiguredError when the folder has no files, or name or version are unknown.
 */
export async function writeManifest(path: string, changes: ManifestChanges = {}): Promise<ModelManifest> {
  const file = join(path, 'sluice.yaml');
  const document = existsSync(file) ? parseDocument(readFileSync(file, 'utf8')) : new Document({});
  const problem = document.errors[0];
  if (problem) throw new MisconfiguredError(`${file}: expected YAML, got ${problem.message.split('\n')[0]!}`);
  for (const key of ['name', 'version'] as const) {
    const value = changes[key];
    if (value !== undefined) document.set(key, value);
    else if (document.get(key) === undefined)
      throw new MisconfiguredError(
        `${file}: ${key}: expected ${key === 'name' ? '--name' : '--model-version'} for a new manifest, got nothing`,
      );
  }
  if (changes.checks) document.set('checks', document.createNode(changes.checks));
  const files: Record<string, string> = {};
  for (const name of filesIn(path)) files[name] = await sha256Later(join(path, name));
  document.set('files', document.createNode(files));
  const text = document.toString({ lineWidth: 120 });
  const manifest = parseManifest(text, file);
  writeFileSync(`${file}.part`, text);
  renameSync(`${file}.part`, file);
  return manifest;
}

function filesIn(path: string): string[] {
  let names: string[];
  try {
    names = readdirSync(path, { recursive: true, encoding: 'utf8' });
  } catch (error) {
    throw new MisconfiguredError(`${path}: expected a model folder, got ${messageOf(error)}`);
  }
  const files = names
    .filter((name) => name !== 'sluice.yaml' && !NOT_READ.test(name) && statSync(join(path, name)).isFile())
    .map((name) => name.replaceAll('\\', '/'))
    .toSorted();
  if (files.length > 0) return files;
  throw new MisconfiguredError(`${path}: expected the files of a model, got none`);
}

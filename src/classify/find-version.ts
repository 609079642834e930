import { MisconfiguredError } from '../errors.ts';
import type { ModelManifest } from './manifest.ts';
import { parseManifest } from './model-folder.ts';
import { namesVersion, newestFirst } from './versions.ts';

/** A version that is complete, as far as can be told without its contents. */
export interface FoundVersion {
  /** Name of its folder; empty when the folder itself is the model. */
  readonly name: string;
  readonly manifest: ModelManifest;
  /** The text of `sluice.yaml`. */
  readonly text: string;
}

/** What lies below a folder: of a disk or of a bucket. */
export interface Listing {
  readonly place: string;
  /** Paths below it, with `/`. */
  readonly names: readonly string[];
  readonly read: (name: string) => Promise<string>;
}

/**
 * The version that a configuration asks for, or the newest one: complete, and called in its manifest as its folder is; a
 * folder with a `sluice.yaml` of its own is the only version. Throws MisconfiguredError with what is missing or what there is.
 */
export async function findVersion({ place, names, read }: Listing, wanted: string): Promise<FoundVersion> {
  const alone = names.includes('sluice.yaml');
  const folders = alone ? [''] : versionsIn(names);
  const candidates =
    wanted === 'newest' || alone
      ? newestFirst(folders)
      : folders.filter((name) => namesVersion(name, wanted));
  const incomplete: string[] = [];
  for (const name of candidates) {
    const at = name === '' ? '' : `${name}/`;
    const text = await read(`${at}sluice.yaml`);
    const manifest = parseManifest(text, `${place}/${at}sluice.yaml`);
    const absent = Object.keys(manifest.files).filter((file) => !names.includes(`${at}${file}`));
    if (Object.keys(manifest.files).length === 0)
      incomplete.push(`${at}sluice.yaml names no files: write their checksums by \`sluice model manifest\``);
    else if (absent.length > 0) incomplete.push(`${at}${absent[0]!} is missing`);
    else {
      checkVersion(place, name, manifest, wanted);
      return { name, manifest, text };
    }
  }
  throw new MisconfiguredError(`${place}: ${nothingFound(wanted, names, folders, incomplete)}`);
}

function versionsIn(names: readonly string[]): string[] {
  return names.flatMap((name) => /^([^/]+)\/sluice\.yaml$/.exec(name)?.[1] ?? []);
}

/**
 * Decisions name the manifest's version, so it must be the one that was chosen: that of the folder, or, where the folder is
 * the model itself (''), the one asked for. Throws MisconfiguredError.
 */
export function checkVersion(
  place: string,
  folder: string,
  { version }: Pick<ModelManifest, 'version'>,
  wanted: string,
): void {
  const expected = folder === '' ? wanted : folder;
  if (expected === 'newest' || namesVersion(expected, version)) return;
  throw new MisconfiguredError(
    `${place}/${folder === '' ? '' : `${folder}/`}sluice.yaml: version: expected ${expected}, got ${version}`,
  );
}

function nothingFound(
  wanted: string,
  names: readonly string[],
  folders: readonly string[],
  incomplete: readonly string[],
): string {
  if (incomplete.length > 0) return `expected a complete version, got ${incomplete.join('; ')}`;
  if (names.length === 0) return 'expected a model folder or folders of its versions, got nothing';
  if (folders.length === 0)
    return 'expected sluice.yaml in the folder of each version, got none: write it by `sluice model manifest`, and upload it last';
  return `expected version ${wanted}, got ${newestFirst(folders).join(', ')}`;
}

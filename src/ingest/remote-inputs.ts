import { createHash } from 'node:crypto';
import { appendFile, mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { MisconfiguredError } from '../errors.ts';

/** How a file source comes to its inputs in S3. */
export interface RemoteInputsOptions {
  /** Folder of its own, for the one or two objects that are at hand and for what is known of the others. */
  readonly directory: string;
  /** Writes an object to a file, whole or not at all; waits out what passes by itself. */
  readonly download: (url: string, file: string) => Promise<void>;
  /** Bytes of an object, where they are known before it is fetched. */
  readonly sizeOf?: (url: string) => number | undefined;
  /** Ends the connections. */
  readonly close?: () => void;
}

/** Objects as local files, one after the other. */
export interface RemoteInputs {
  /** Reads what earlier runs noted; removes what they left. */
  prepare(): Promise<void>;
  /** 0 where it is not known. */
  sizeOf(url: string): number;
  /** Whether an earlier run has read an object to its end, and everything of it is settled at `offset`. */
  isDone(url: string, offset: number): boolean;
  /** The object as a file here; `following`, if any, is fetched meanwhile. */
  open(url: string, following: string | undefined): Promise<string>;
  /** It was read to its end, which settles offsets to before `next`: a later run need not fetch it. */
  ended(url: string, next: number): Promise<void>;
  /** Removes the file, as soon as it is there; never rejects. */
  release(url: string): Promise<void>;
}

/** Makes it. Without options every object is refused by MisconfiguredError. */
export function createRemoteInputs(options: RemoteInputsOptions | undefined): RemoteInputs {
  const fetched = new Map<string, Promise<string>>();
  const ends = new Map<string, number>();

  function remote(url: string): RemoteInputsOptions {
    if (options) return options;
    throw new MisconfiguredError(`${url}: expected a path, since this source knows no S3 connection`);
  }

  function fetch(url: string): Promise<string> {
    const { directory, download } = remote(url);
    let file = fetched.get(url);
    if (!file) {
      const name = createHash('sha256').update(url).digest('hex').slice(0, 32);
      const path = join(directory, name);
      file = download(url, path).then(() => path);
      // Whoever opens it hears of a failure; one that nobody opens any more matters to nobody.
      file.catch(() => undefined);
      fetched.set(url, file);
    }
    return file;
  }

  return {
    async prepare() {
      if (!options) return;
      const noted = await readFile(noteFile(options), 'utf8').catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return '';
        throw error;
      });
      await rm(options.directory, { recursive: true, force: true });
      await mkdir(options.directory, { recursive: true });
      // What a crash cut off only costs another look at that object.
      for (const [, next, url] of noted.matchAll(/^(\d+) (.+)\n/gm)) ends.set(url!, Number(next));
    },
    sizeOf: (url) => options?.sizeOf?.(url) ?? 0,
    isDone: (url, offset) => offset >= (ends.get(url) ?? Infinity),
    async open(url, following) {
      const file = fetch(url);
      if (following !== undefined) void fetch(following);
      return await file;
    },
    async ended(url, next) {
      if (ends.get(url) === next) return;
      ends.set(url, next);
      await appendFile(noteFile(remote(url)), `${next} ${url}\n`);
    },
    async release(url) {
      const file = fetched.get(url);
      fetched.delete(url);
      const path = await file?.catch(() => undefined);
      // The next run empties the folder in any case.
      if (path !== undefined) await rm(path, { force: true }).catch(() => undefined);
    },
  };
}

/** Beside the folder, which is emptied. */
function noteFile({ directory }: RemoteInputsOptions): string {
  return `${directory}.read`;
}

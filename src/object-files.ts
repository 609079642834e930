import { randomUUID } from 'node:crypto';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { mapBounded } from './concurrency.ts';
import { InputError, isOperational, messageOf, MisconfiguredError, RetryableError } from './errors.ts';
import type { S3ConnectionConfig } from './s3-connection-config.ts';
import type { S3Objects } from './s3-objects.ts';

/** Downloads at a time, of files whose size is unknown here: disks and networks are not faster with more. */
const DOWNLOADS = 8;

/** One object below a prefix. */
export interface ObjectFile {
  /** Key without the prefix. */
  readonly name: string;
  readonly bytes: number;
  /** Changes with the content; opaque. */
  readonly etag: string;
}

/**
 * Reads what the configuration names by `s3://bucket/key`: models, policies, hash lists. All throw RetryableError for
 * what passes by itself (no answer, a busy server), MisconfiguredError, with the way out, for what somebody has to mend, and
 * InputError when a download cannot be written.
 */
export interface ObjectFiles {
  /** The server: its address, or `aws`. */
  readonly origin: string;
  /** Content of an object, UTF-8; MisconfiguredError when there is none. */
  readText(url: string): Promise<string>;
  /** Changes whenever the object's content does; undefined when there is no such object. */
  etagOf(url: string): Promise<string | undefined>;
  /** All objects below a prefix, in order of their keys; the prefix is read as a folder, with or without its last `/`. */
  list(url: string): Promise<ObjectFile[]>;
  /** Writes one object to a file: under a temporary name beside it, renamed when it is complete. Makes the folder. */
  download(url: string, file: string): Promise<void>;
  /** Writes all objects below a prefix, or those named, into a folder. Names that lead out of it are refused. */
  downloadAll(url: string, directory: string, names?: readonly string[]): Promise<void>;
  /** Ends the connections; a later call opens new ones. */
  close(): void;
}

/** Whether a path of the configuration names an object or a prefix of a bucket. */
export function isObjectUrl(path: string): boolean {
  return path.startsWith('s3://');
}

/** `s3://bucket/key` in its parts; the key may be empty. Throws MisconfiguredError when it is none. Pure. */
export function parseObjectUrl(url: string): { readonly bucket: string; readonly key: string } {
  const match = /^s3:\/\/([A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9])(?:\/(.*))?$/.exec(url);
  if (!match)
    throw new MisconfiguredError(`expected an address such as s3://bucket/models/toxicity, got ${url}`);
  return { bucket: match[1]!, key: match[2] ?? '' };
}

/** What reads objects. Connections are made when they are needed; credentials come by the standard chain. */
export function createObjectFiles(config: S3ConnectionConfig): ObjectFiles {
  const opened = new Map<string, Promise<{ readonly objects: S3Objects; close(): void }>>();
  const open = async (bucket: string) => {
    // Imported here, so that workers and processes without S3 never load the SDK.
    const [{ connectS3 }, { createObjects }] = await Promise.all([
      import('./s3-client.ts'),
      import('./s3-objects.ts'),
    ]);
    const connection = connectS3(config, { bucket, prefix: '', setting: 'classify.s3' });
    return { objects: createObjects(connection), close: () => connection.close() };
  };
  const within = async <Result>(
    url: string,
    work: (objects: S3Objects, key: string) => Promise<Result>,
  ): Promise<Result> => {
    const { bucket, key } = parseObjectUrl(url);
    let connection = opened.get(bucket);
    if (!connection) opened.set(bucket, (connection = open(bucket)));
    try {
      return await work((await connection).objects, key);
    } catch (error) {
      throw mendable(error);
    }
  };

  const download = (url: string, file: string) =>
    within(url, async (objects, key) => {
      // Processes that share a folder may have the same id: each is the first one of its container.
      const temporary = `${file}.${randomUUID()}.part`;
      try {
        await mkdir(dirname(file), { recursive: true });
        if (!(await objects.download(key, temporary))) throw missing(url);
        await rename(temporary, file);
      } catch (error) {
        // What failed first counts.
        await rm(temporary, { force: true }).catch(() => undefined);
        throw unwritable(error, file);
      }
    });
  const list = (url: string) =>
    within(folder(url), async (objects, prefix) => {
      const files: ObjectFile[] = [];
      for await (const { key, bytes, etag } of objects.list(prefix)) {
        // A key that ends with a slash is a folder that some console made.
        if (!key.endsWith('/')) files.push({ name: key.slice(prefix.length), bytes, etag });
      }
      return files;
    });

  return {
    origin: config.endpoint ?? 'aws',
    readText: (url) =>
      within(url, async (objects, key) => {
        const content = await objects.read(key);
        if (!content) throw missing(url);
        return Buffer.from(content).toString('utf8');
      }),
    etagOf: (url) => within(url, (objects, key) => objects.etagOf(key)),
    list,
    download,
    async downloadAll(url, directory, names) {
      const wanted = names ?? (await list(url)).map(({ name }) => name);
      const leading = wanted.find((name) => name.split('/').some((part) => ['', '.', '..'].includes(part)));
      if (leading !== undefined)
        throw new MisconfiguredError(
          `${folder(url)}: expected names of files below it, got ${JSON.stringify(leading)}`,
        );
      await mapBounded(wanted, DOWNLOADS, (name) => download(`${folder(url)}${name}`, join(directory, name)));
    },
    close() {
      // One that failed to open was told to who asked for it.
      for (const connection of opened.values())
        connection.then(
          (each) => each.close(),
          () => undefined,
        );
      opened.clear();
    },
  };
}

function folder(url: string): string {
  return url.endsWith('/') ? url : `${url}/`;
}

function missing(url: string): MisconfiguredError {
  return new MisconfiguredError(`${url}: expected an object, got nothing`);
}

/** A full disk or a folder without permission is nothing that S3 could mend. */
function unwritable(error: unknown, file: string): unknown {
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (isOperational(error) || code === undefined || syscall === undefined) return error;
  return new InputError(`${file}: expected room for a download, got ${messageOf(error)}`, { cause: error });
}

/** An answer that does not pass by itself is a matter of the configuration here: nothing is written to this bucket. */
function mendable(error: unknown): unknown {
  if (!isOperational(error) || error instanceof RetryableError || error instanceof InputError) return error;
  return error instanceof MisconfiguredError
    ? error
    : new MisconfiguredError(error.message, { cause: error.cause ?? error });
}

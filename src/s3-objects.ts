import {
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  type GetObjectCommandOutput,
} from '@aws-sdk/client-s3';
import { createWriteStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { S3Connection } from './s3-client.ts';
import { isAnswer, s3Error } from './s3-errors.ts';

/** An object in a listing. */
export interface ListedObject {
  /** Whole key. */
  readonly key: string;
  readonly bytes: number;
  /** When it was last written, milliseconds UTC of the server's clock. */
  readonly since: number;
  /** Changes with the content; opaque. */
  readonly etag: string;
}

/** Objects of a bucket by their whole keys. */
export interface S3Objects {
  /** Objects whose keys begin so, in order of their keys; a thousand to a request. */
  list(prefix: string): AsyncIterable<ListedObject>;
  /** Content; undefined when there is no such object. */
  read(key: string): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** Writes the content to a file as it comes; false when there is no such object. After a failure the file is incomplete. */
  download(key: string, file: string): Promise<boolean>;
  /** Size in bytes; undefined when there is no such object. */
  sizeOf(key: string): Promise<number | undefined>;
  /** Tag that changes with the content; undefined when there is no such object. */
  etagOf(key: string): Promise<string | undefined>;
}

type Body = NonNullable<GetObjectCommandOutput['Body']>;

/** What reads a bucket. */
export function createObjects(s3: S3Connection): S3Objects {
  const { bucket: Bucket } = s3.place;
  const head = async (Key: string) => {
    try {
      return await s3.send(new HeadObjectCommand({ Bucket, Key }));
    } catch (error) {
      if (isAnswer(error, 'NotFound', 'NoSuchKey')) return undefined;
      throw error;
    }
  };
  /** What `take` makes of the body; null when there is none, undefined when there is no such object. */
  const get = async <Result>(Key: string, take: (body: Body) => Promise<Result>) => {
    try {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
      return Body ? await take(Body) : null;
    } catch (error) {
      if (isAnswer(error, 'NoSuchKey', 'NotFound')) return undefined;
      // The answer can also break off while its body is read.
      throw s3Error(error, { ...s3.place, operation: 'GetObject', key: Key });
    }
  };

  return {
    async *list(Prefix) {
      let ContinuationToken: string | undefined;
      do {
        const page = await s3.send(new ListObjectsV2Command({ Bucket, Prefix, ContinuationToken }));
        for (const { Key, Size, LastModified, ETag } of page.Contents ?? []) {
          if (Key !== undefined)
            yield { key: Key, bytes: Size ?? 0, since: LastModified?.getTime() ?? NaN, etag: ETag ?? '' };
        }
        ContinuationToken = page.IsTruncated ? page.NextContinuationToken : undefined;
      } while (ContinuationToken !== undefined);
    },

    async read(Key) {
      const content = await get(Key, (Body) => Body.transformToByteArray());
      return content === undefined ? undefined : new Uint8Array(content ?? []);
    },

    async download(Key, file) {
      const written = await get(Key, async (Body) => {
        await pipeline(Body as Readable, createWriteStream(file));
        return true;
      });
      if (written === null) await writeFile(file, '');
      return written !== undefined;
    },

    sizeOf: async (Key) => (await head(Key))?.ContentLength,
    etagOf: async (Key) => (await head(Key))?.ETag,
  };
}

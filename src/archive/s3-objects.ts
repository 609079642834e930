import { GetObjectCommand, HeadObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import type { S3Connection } from './s3-client.ts';
import type { S3StoreConfig } from './s3-config.ts';
import { isAnswer, s3Error } from './s3-errors.ts';

/** An object in a listing. */
export interface ListedObject {
  /** Whole key. */
  readonly key: string;
  readonly bytes: number;
  /** When it was last written, milliseconds UTC of the server's clock. */
  readonly since: number;
}

/** Objects of a bucket by their whole keys. */
export interface S3Objects {
  /** Objects whose keys begin so, in order of their keys; a thousand to a request. */
  list(prefix: string): AsyncIterable<ListedObject>;
  /** Content; undefined when there is no such object. */
  read(key: string): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** Size in bytes; undefined when there is no such object. */
  sizeOf(key: string): Promise<number | undefined>;
}

/** What reads a bucket. */
export function createObjects(s3: S3Connection, { bucket: Bucket, prefix }: S3StoreConfig): S3Objects {
  return {
    async *list(Prefix) {
      let ContinuationToken: string | undefined;
      do {
        const page = await s3.send(new ListObjectsV2Command({ Bucket, Prefix, ContinuationToken }));
        for (const { Key, Size, LastModified } of page.Contents ?? []) {
          if (Key !== undefined) yield { key: Key, bytes: Size ?? 0, since: LastModified?.getTime() ?? NaN };
        }
        ContinuationToken = page.IsTruncated ? page.NextContinuationToken : undefined;
      } while (ContinuationToken !== undefined);
    },

    async read(Key) {
      try {
        const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
        if (!Body) return new Uint8Array();
        return new Uint8Array(await Body.transformToByteArray());
      } catch (error) {
        if (isAnswer(error, 'NoSuchKey', 'NotFound')) return undefined;
        // The answer can also break off while its body is read.
        throw s3Error(error, { operation: 'GetObject', bucket: Bucket, prefix, key: Key });
      }
    },

    async sizeOf(Key) {
      try {
        return (await s3.send(new HeadObjectCommand({ Bucket, Key }))).ContentLength;
      } catch (error) {
        if (isAnswer(error, 'NotFound', 'NoSuchKey')) return undefined;
        throw error;
      }
    },
  };
}

import {
  AbortMultipartUploadCommand,
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  PutObjectRetentionCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { randomUUID } from 'node:crypto';
import { s3StoreConfig, type S3StoreConfig } from '../../src/archive/s3-config.ts';

/** Address of the S3 server for tests; its credentials are in the environment, as the standard chain wants them. */
export function s3Endpoint(): string {
  const endpoint = process.env['SLUICE_S3'];
  if (!endpoint)
    throw new Error('expected SLUICE_S3 in the environment, got nothing: `npm run services -- up` starts it');
  return endpoint;
}

/** A bucket of its own for a test, seen without the store's code. */
export interface TestBucket {
  readonly name: string;
  /** A configuration of a store in it. */
  config(changes?: object): S3StoreConfig;
  keys(): Promise<string[]>;
  read(key: string): Promise<Uint8Array>;
  put(key: string, content: string | Uint8Array): Promise<void>;
  remove(key: string): Promise<void>;
  /** Makes the server deny the removal of an object, until it is unlocked. */
  lock(key: string): Promise<void>;
  unlock(key: string): Promise<void>;
  /** Uploads that are neither completed nor aborted. */
  uploads(): Promise<{ readonly key: string; readonly upload: string }[]>;
  abort(key: string, upload: string): Promise<void>;
  /** Removes it with everything in it. */
  close(): Promise<void>;
}

/** Makes a bucket on the real server. */
export async function makeBucket(): Promise<TestBucket> {
  const endpoint = s3Endpoint();
  const client = new S3Client({ endpoint, forcePathStyle: true });
  const Bucket = `test-${randomUUID()}`;
  await client.send(new CreateBucketCommand({ Bucket, ObjectLockEnabledForBucket: true }));

  const keys = async () => {
    const found: string[] = [];
    let token: string | undefined;
    do {
      const page = await client.send(new ListObjectsV2Command({ Bucket, ContinuationToken: token }));
      found.push(...(page.Contents ?? []).map(({ Key }) => Key!));
      token = page.NextContinuationToken;
    } while (token);
    return found;
  };
  const uploads = async () => {
    const page = await client.send(new ListMultipartUploadsCommand({ Bucket }));
    return (page.Uploads ?? []).map(({ Key, UploadId }) => ({ key: Key!, upload: UploadId! }));
  };
  const remove = async (Key: string) => {
    await client.send(new DeleteObjectCommand({ Bucket, Key }));
  };
  const abort = async (Key: string, UploadId: string) => {
    await client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
  };

  return {
    name: Bucket,
    config: (changes = {}) =>
      s3StoreConfig.parse({ type: 's3', bucket: Bucket, endpoint, path_style: true, ...changes }),
    async lock(Key) {
      const Retention = { Mode: 'GOVERNANCE', RetainUntilDate: new Date(Date.now() + 3_600_000) } as const;
      await client.send(new PutObjectRetentionCommand({ Bucket, Key, Retention }));
    },
    async unlock(Key) {
      const Retention = { Mode: 'GOVERNANCE', RetainUntilDate: new Date(Date.now() + 1_000) } as const;
      await client.send(
        new PutObjectRetentionCommand({ Bucket, Key, Retention, BypassGovernanceRetention: true }),
      );
      await client.send(new DeleteObjectCommand({ Bucket, Key, BypassGovernanceRetention: true }));
    },
    keys,
    uploads,
    remove,
    abort,
    async read(Key) {
      const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }));
      return new Uint8Array(await Body!.transformToByteArray());
    },
    async put(Key, content) {
      await client.send(new PutObjectCommand({ Bucket, Key, Body: content }));
    },
    async close() {
      for (const { key, upload } of await uploads()) await abort(key, upload);
      for (const key of await keys()) await remove(key);
      await client.send(new DeleteBucketCommand({ Bucket }));
      client.destroy();
    },
  };
}

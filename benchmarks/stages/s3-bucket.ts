import { CreateBucketCommand, DeleteBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { randomBytes, randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';

/** Files that a flush writes, bytes of each, and how many travel at a time. */
export const FILES = 64;
export const FILE_BYTES = 1024 ** 2;
export const AT_ONCE = 8;

/** A bucket of the S3 server that the environment names, and content for its objects. */
export interface StageBucket {
  readonly name: string;
  readonly endpoint: string;
  readonly client: S3Client;
  readonly content: Buffer;
  readonly keys: readonly string[];
  /** Removes all objects, by the server's directory: requests would be measured. */
  readonly empty: () => void;
  readonly close: () => Promise<void>;
}

/** Makes a bucket. */
export async function openBucket(): Promise<StageBucket> {
  const endpoint = process.env['SLUICE_S3']!;
  const name = `bench-${randomUUID()}`;
  const client = new S3Client({
    endpoint,
    forcePathStyle: true,
    requestChecksumCalculation: 'WHEN_REQUIRED',
  });
  await client.send(new CreateBucketCommand({ Bucket: name }));
  const empty = () => {
    for (const folder of ['dt=2026-01-01', '_sluice'])
      rmSync(join(process.env['SLUICE_S3_DIRECTORY']!, name, folder), { recursive: true, force: true });
  };
  return {
    name,
    endpoint,
    client,
    content: randomBytes(FILE_BYTES),
    keys: Array.from({ length: FILES }, (_, at) => `dt=2026-01-01/file-${at}.parquet`),
    empty,
    async close() {
      empty();
      await client.send(new DeleteBucketCommand({ Bucket: name }));
      client.destroy();
    },
  };
}

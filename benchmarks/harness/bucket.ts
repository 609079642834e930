import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Servers } from './servers.ts';

/** A bucket of its own for one sample. */
export interface Bucket {
  readonly name: string;
  /** Its objects as files. */
  readonly directory: string;
  /** Objects whose name ends so, with their sizes in bytes. */
  list(suffix: string): { readonly path: string; readonly bytes: number }[];
  /** Removes it with all objects. */
  remove(): void;
}

/** Makes an empty bucket of that name; one that was there is emptied. */
export async function openBucket(servers: Servers, name: string): Promise<Bucket> {
  const directory = join(servers.objects, name);
  const remove = () => rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  remove();
  const client = new S3Client({
    endpoint: servers.endpoint,
    forcePathStyle: true,
    region: servers.environment['AWS_REGION']!,
    credentials: {
      accessKeyId: servers.environment['AWS_ACCESS_KEY_ID']!,
      secretAccessKey: servers.environment['AWS_SECRET_ACCESS_KEY']!,
    },
  });
  await client.send(new CreateBucketCommand({ Bucket: name }));
  client.destroy();
  return {
    name,
    directory,
    list: (suffix) =>
      readdirSync(directory, { recursive: true, encoding: 'utf8' })
        // versitygw keeps uploads that are not complete below a directory whose name begins with a dot.
        .filter((path) => path.endsWith(suffix) && !path.startsWith('.'))
        .map((path) => ({ path: join(directory, path), bytes: statSync(join(directory, path)).size })),
    remove,
  };
}

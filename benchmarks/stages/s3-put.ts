import { PutObjectCommand } from '@aws-sdk/client-s3';
import { mapBounded } from '../../src/concurrency.ts';
import { AT_ONCE, FILES, FILE_BYTES, openBucket } from './s3-bucket.ts';
import type { Stage } from './stage.ts';

/** The limit of the store: the same objects by PutObject alone. */
export async function open(): Promise<Stage> {
  const { name, client, content, keys, empty, close } = await openBucket();
  return {
    count: FILES,
    async run() {
      await mapBounded(keys, AT_ONCE, async (Key) => {
        await client.send(new PutObjectCommand({ Bucket: name, Key, Body: content }));
      });
      empty();
      return { bytesOut: FILES * FILE_BYTES, files: FILES, requests: FILES };
    },
    close,
  };
}

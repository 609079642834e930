import { mapBounded } from '../../src/concurrency.ts';
import { checksum } from '../../src/archive/encode.ts';
import { createS3Store, s3StoreConfig, type S3Store } from '../../src/archive/index.ts';
import type { PreparedFile, Transaction } from '../../src/types.ts';
import { AT_ONCE, FILES, FILE_BYTES, openBucket } from './s3-bucket.ts';
import type { Stage } from './stage.ts';

/** One flush to S3: every file prepared, the manifest, every file published, the transaction finished. */
export async function open(): Promise<Stage> {
  const bucket = await openBucket();
  const store = createS3Store({
    config: s3StoreConfig.parse({
      type: 's3',
      bucket: bucket.name,
      endpoint: bucket.endpoint,
      path_style: true,
    }),
  });
  let flushes = 0;
  const file = {
    bytes: FILE_BYTES,
    rows: 1,
    crc32: checksum(new Uint8Array(bucket.content)),
    kind: 'content',
  } as const;
  return {
    count: FILES,
    async run() {
      const before = requestsOf(store);
      const files: PreparedFile[] = await mapBounded(bucket.keys, AT_ONCE, (key) =>
        store.prepare({ ...file, key }, bucket.content),
      );
      const transaction: Transaction = {
        version: 1,
        id: `tx${flushes++}`,
        pipeline: 'bench',
        createdAt: new Date().toISOString(),
        reason: 'age',
        files,
        partitions: [],
      };
      await store.writeManifest(transaction);
      await mapBounded(files, AT_ONCE, (each) => store.publish(each));
      await store.finish(transaction);
      bucket.empty();
      return { bytesOut: FILES * FILE_BYTES, files: FILES, requests: requestsOf(store) - before };
    },
    async close() {
      await store.close();
      await bucket.close();
    },
  };
}

function requestsOf(store: S3Store): number {
  return Object.values(store.requests()).reduce((sum, each) => sum + each, 0);
}

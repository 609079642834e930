import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { randomBytes, randomUUID } from 'node:crypto';
import { ensureServices, stopService } from '../scripts/services/index.ts';
import { mapBounded } from '../src/archive/concurrency.ts';
import { checksum } from '../src/archive/encode.ts';
import { createS3Store, s3StoreConfig, type S3Store } from '../src/archive/index.ts';
import type { PreparedFile } from '../src/types.ts';
import type { Figure } from './pipeline.ts';

const KiB = 1024;
const SIZES = [
  { name: '1 KiB', bytes: KiB, files: 400 },
  { name: '1 MiB', bytes: KiB ** 2, files: 100 },
  { name: '64 MiB', bytes: 64 * KiB ** 2, files: 6 },
] as const;
/** Files at a time, as in a flush. */
const PARALLEL = 8;
const ROUNDS = 3;

/**
 * The S3 store alone: prepare, manifest, publish and finish of one flush, beside a loop that only puts the same objects.
 * Both take turns; of each the best round counts. Starts the S3 server of the tests when it does not run, and stops it then.
 */
export async function run(): Promise<Figure[]> {
  const { environment, started } = await ensureServices(['s3']);
  Object.assign(process.env, environment);
  const endpoint = environment['SLUICE_S3']!;
  const Bucket = `bench-${randomUUID()}`;
  const client = new S3Client({
    endpoint,
    forcePathStyle: true,
    requestChecksumCalculation: 'WHEN_REQUIRED',
  });
  await client.send(new CreateBucketCommand({ Bucket }));
  const store = createS3Store({
    config: s3StoreConfig.parse({ type: 's3', bucket: Bucket, endpoint, path_style: true }),
  });
  const figures: Figure[] = [];
  try {
    for (const { name, bytes, files } of SIZES) {
      const content = randomBytes(bytes);
      const keys = Array.from({ length: files }, (_, i) => `dt=2026-01-01/tx-${i}.parquet`);
      const best = { bare: Infinity, store: Infinity };
      let requests = 0;
      for (let round = 0; round < ROUNDS; round++) {
        const put = async (Key: string) => {
          await client.send(new PutObjectCommand({ Bucket, Key, Body: content }));
        };
        best.bare = Math.min(best.bare, await seconds(() => mapBounded(keys, PARALLEL, put)));
        await empty(client, Bucket);
        const earlier = count(store);
        best.store = Math.min(best.store, await seconds(() => flush(store, `tx${round}`, keys, content)));
        requests = count(store) - earlier;
        await empty(client, Bucket);
      }
      figures.push(
        { name: `${files} files of ${name}: PutObject alone`, value: files / best.bare, unit: 'files/s' },
        { name: `${files} files of ${name}: one flush`, value: files / best.store, unit: 'files/s' },
        { name: `${files} files of ${name}: one flush`, value: requests, unit: 'requests' },
        { name: `${files} files of ${name}: one flush`, value: requests / files, unit: 'requests/file' },
        ...(bytes < KiB ** 2
          ? []
          : [
              {
                name: `${files} files of ${name}: one flush`,
                value: (files * bytes) / KiB ** 2 / best.store,
                unit: 'MiB/s',
              },
            ]),
      );
    }
    return figures;
  } finally {
    await store.close();
    await empty(client, Bucket);
    await client.send(new DeleteBucketCommand({ Bucket }));
    client.destroy();
    for (const name of started) await stopService(name);
  }
}

async function flush(store: S3Store, id: string, keys: readonly string[], content: Buffer): Promise<void> {
  const file = { bytes: content.length, rows: 1, crc32: checksum(content), kind: 'content' } as const;
  const files: PreparedFile[] = await mapBounded(keys, PARALLEL, (key) =>
    store.prepare({ ...file, key }, content),
  );
  const createdAt = new Date().toISOString();
  const partitions: [] = [];
  const transaction = {
    version: 1,
    id,
    pipeline: 'bench',
    createdAt,
    reason: 'age',
    files,
    partitions,
  } as const;
  await store.writeManifest(transaction);
  await mapBounded(files, PARALLEL, (each) => store.publish(each));
  await store.finish(transaction);
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

function count(store: S3Store): number {
  return Object.values(store.requests()).reduce((sum, each) => sum + each, 0);
}

async function empty(client: S3Client, Bucket: string): Promise<void> {
  const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket }));
  await mapBounded(Contents, PARALLEL, ({ Key }) => client.send(new DeleteObjectCommand({ Bucket, Key })));
}

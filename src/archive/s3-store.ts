import { setTimeout as delay } from 'node:timers/promises';
import { MAX_TRANSACTION_AGE, type Store } from '../ports.ts';
import { safeKey } from './keys.ts';
import { checkS3 } from './s3-check.ts';
import { connectS3 } from '../s3-client.ts';
import type { S3StoreConfig } from './s3-config.ts';
import { createLedger } from './s3-ledger.ts';
import { createObjects } from '../s3-objects.ts';
import { sweep } from './s3-sweep.ts';
import { createUploads } from './s3-upload.ts';

/** A store in a bucket. */
export interface S3StoreOptions {
  readonly config: S3StoreConfig;
  /** `pipeline` of the transactions whose manifests `sweep` may remove; others below the same prefix are left alone. */
  readonly owner?: string;
  /** Milliseconds, for tests: what is younger by the server's clock is never swept. */
  readonly sweepAge?: number;
  /** Milliseconds after which no request of another process is under way any more (default: twice `idle_timeout`). */
  readonly settle?: number;
}

/** A store in a bucket, and what it costs. */
export interface S3Store extends Store {
  /** HTTP requests so far by operation of the S3 API, retries included. */
  requests(): Readonly<Record<string, number>>;
}

/**
 * A bucket as a Store: `prepare` uploads the parts of a multipart upload, which no reader sees; `publish` completes it and
 * believes only what a HEAD then shows. Manifests are objects that are never overwritten (`If-None-Match: *`).
 */
export function createS3Store({
  config,
  owner,
  sweepAge = 2 * MAX_TRANSACTION_AGE,
  settle = 2 * config.idle_timeout,
}: S3StoreOptions): S3Store {
  const { bucket, prefix } = config;
  const description = `s3://${bucket}/${prefix}`;
  const keyOf = (key: string) => prefix + safeKey(key, description);
  const connection = connectS3(config, { bucket, prefix, setting: 'archive.store' });
  const objects = createObjects(connection);
  const uploads = createUploads(connection, objects, config, keyOf, settle);
  const ledger = createLedger(connection, objects, config);

  return {
    description,
    check: () => checkS3({ connection, config, uploads, objects }),
    prepare: (file, content) => uploads.prepare(file, content),
    publish: (file) => uploads.publish(file),
    discard: (files) => uploads.discard(files),
    writeManifest: (transaction) => ledger.writeManifest(transaction),
    readManifest: (id) => ledger.readManifest(id),
    finish: (transaction) => ledger.finish(transaction),
    async undo(transaction) {
      if (!(await ledger.undo(transaction))) return false;
      await uploads.discard(transaction.files);
      // Another process may have been completing an upload just now: its object appears after it was removed.
      await delay(settle);
      await uploads.discard(transaction.files);
      return true;
    },
    transactions: () => ledger.transactions(),
    sweep: (keep) => sweep(keep, { connection, config, uploads, objects, ledger, owner, age: sweepAge }),

    async *files(folder) {
      const own = `${prefix}_sluice/`;
      for await (const { key, bytes } of objects.list(folder === undefined ? prefix : `${keyOf(folder)}/`)) {
        if (folder === undefined && key.startsWith(own)) continue;
        // A key that ends with a slash is a folder that some console made.
        if (!key.endsWith('/')) yield { key: key.slice(prefix.length), bytes };
      }
    },

    read: async (key) => objects.read(keyOf(key)),
    requests: () => connection.requests(),
    close: () => Promise.resolve(connection.close()),
  };
}

import { CopyObjectCommand, DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { RetryableError, StoreError } from '../errors.ts';
import type { Store } from '../ports.ts';
import type { Transaction } from '../types.ts';
import { safeTransactionId } from './keys.ts';
import { decodeManifest, encodeManifest } from './manifest.ts';
import { s3Checksum } from './s3-checksum.ts';
import type { S3Connection } from './s3-client.ts';
import type { S3StoreConfig } from './s3-config.ts';
import { encryptionOf } from './s3-encryption.ts';
import { isAnswer } from './s3-errors.ts';
import type { S3Objects } from './s3-objects.ts';

/** A manifest of a transaction that is not finished, as a listing shows it. */
export interface PendingManifest {
  readonly id: string;
  /** When it was written, milliseconds UTC of the server's clock. */
  readonly since: number;
}

/** Manifests of a bucket: `_sluice/pending/<id>.json`, and `_sluice/manifests/<id>.json` once the transaction is finished. */
export interface S3Ledger extends Pick<Store, 'writeManifest' | 'readManifest' | 'finish' | 'transactions'> {
  /** Manifests that are not finished. */
  pending(): AsyncIterable<PendingManifest>;
  /** Removes the manifest of a transaction that is not finished. */
  remove(id: string): Promise<void>;
}

/** Manifests below the store's prefix. */
export function createLedger(
  s3: S3Connection,
  objects: S3Objects,
  { bucket: Bucket, prefix, encryption }: S3StoreConfig,
): S3Ledger {
  const pending = `${prefix}_sluice/pending/`;
  const manifests = `${prefix}_sluice/manifests/`;
  const keyOf = (directory: string, id: string) => `${directory}${safeTransactionId(id)}.json`;
  const idOf = (directory: string, key: string) => /^([\w-]+)\.json$/.exec(key.slice(directory.length))?.[1];

  async function transactionAt(Key: string, id: string): Promise<Transaction | undefined> {
    const content = await objects.read(Key);
    if (content === undefined) return undefined;
    return decodeManifest(new TextDecoder().decode(content), id, `s3://${Bucket}/${Key}`);
  }

  async function remove(id: string): Promise<void> {
    await s3.send(new DeleteObjectCommand({ Bucket, Key: keyOf(pending, id) }));
  }

  return {
    remove,

    async writeManifest(transaction) {
      const Key = keyOf(pending, transaction.id);
      const Body = Buffer.from(encodeManifest(transaction));
      try {
        await putNew(s3, { Bucket, Key, Body }, encryption);
      } catch (error) {
        if (!isAnswer(error, 'PreconditionFailed')) throw error;
        // An attempt before this one may have written it, and only its answer was lost.
        const present = await objects.read(Key);
        if (present === undefined)
          throw new RetryableError(`s3://${Bucket}/${Key}: the manifest was there, and is there no more`);
        if (!Body.equals(present))
          throw new StoreError(
            `s3://${Bucket}/${Key}: expected no manifest of transaction ${transaction.id} yet, got another one: ` +
              'do two processes share its id?',
            { cause: error },
          );
      }
    },

    async readManifest(id) {
      // `finish` copies, then deletes: what moved after the first look is found by the third.
      for (const directory of [manifests, pending, manifests]) {
        const transaction = await transactionAt(keyOf(directory, id), id);
        if (transaction) return { transaction, finished: directory === manifests };
      }
      return undefined;
    },

    async finish(id) {
      const from = keyOf(pending, id);
      const to = keyOf(manifests, id);
      try {
        await s3.send(
          new CopyObjectCommand({
            Bucket,
            Key: to,
            CopySource: copySource(Bucket, from),
            ...encryptionOf(encryption),
          }),
        );
      } catch (error) {
        if (!isAnswer(error, 'NoSuchKey', 'NotFound')) throw error;
        if ((await objects.sizeOf(to)) !== undefined) return;
        throw new StoreError(`s3://${Bucket}/${from}: expected the manifest to finish, got none`, {
          cause: error,
        });
      }
      // The ledger is the proof of what is archived: it is not given up for a copy that is only claimed.
      if ((await objects.sizeOf(to)) === undefined)
        throw new RetryableError(
          `s3://${Bucket}/${to}: CopyObject was answered with success, but the object is not there`,
        );
      await remove(id);
    },

    async transactions() {
      const found = new Map<string, boolean>();
      for (const [directory, finished] of [
        [pending, false],
        [manifests, true],
      ] as const) {
        for await (const { key } of objects.list(directory)) {
          const id = idOf(directory, key);
          if (id !== undefined) found.set(id, finished);
        }
      }
      return [...found]
        .map(([id, finished]) => ({ id, finished }))
        .toSorted((a, b) => (a.id < b.id ? -1 : 1));
    },

    async *pending() {
      for await (const { key, since } of objects.list(pending)) {
        const id = idOf(pending, key);
        if (id !== undefined) yield { id, since };
      }
    },
  };
}

/** Puts an object of Sluice's own where none may be: `PreconditionFailed` otherwise. */
export async function putNew(
  s3: S3Connection,
  object: { readonly Bucket: string; readonly Key: string; readonly Body: Uint8Array },
  encryption: S3StoreConfig['encryption'],
): Promise<void> {
  await s3.send(
    new PutObjectCommand({
      ...object,
      IfNoneMatch: '*',
      ContentType: 'application/json',
      ContentLength: object.Body.length,
      ChecksumAlgorithm: 'CRC32',
      ChecksumCRC32: s3Checksum(object.Body),
      ...encryptionOf(encryption),
    }),
  );
}

/** Source of a CopyObject: bucket and key, URL-encoded; objects of access points have a form of their own. */
export function copySource(bucket: string, key: string): string {
  const encoded = key.split('/').map(encodeURIComponent).join('/');
  return bucket.startsWith('arn:') ? `${bucket}/object/${encoded}` : `${bucket}/${encoded}`;
}

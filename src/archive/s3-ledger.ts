import { DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { RetryableError, StoreError } from '../errors.ts';
import type { Store } from '../ports.ts';
import type { Transaction } from '../types.ts';
import { safeTransactionId } from './keys.ts';
import { decodeManifest, encodeManifest } from './manifest.ts';
import { s3Checksum } from './s3-checksum.ts';
import type { S3Connection } from '../s3-client.ts';
import type { S3StoreConfig } from './s3-config.ts';
import { encryptionOf } from './s3-encryption.ts';
import { isAnswer } from '../s3-errors.ts';
import type { S3Objects } from '../s3-objects.ts';

/** A manifest of a transaction that is not finished, as a listing shows it. */
export interface PendingManifest {
  readonly id: string;
  /** When it was written, milliseconds UTC of the server's clock. */
  readonly since: number;
}

/** Manifests of a bucket: `_sluice/pending/<id>.json`, and `_sluice/manifests/<id>.json` once the transaction is finished or undone. */
export interface S3Ledger extends Pick<
  Store,
  'writeManifest' | 'readManifest' | 'finish' | 'undo' | 'transactions'
> {
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

  async function decodedAt(Key: string, id: string): Promise<ReturnType<typeof decodeManifest> | undefined> {
    const content = await objects.read(Key);
    if (content === undefined) return undefined;
    return decodeManifest(new TextDecoder().decode(content), id, `s3://${Bucket}/${Key}`);
  }

  async function remove(id: string): Promise<void> {
    await s3.send(new DeleteObjectCommand({ Bucket, Key: keyOf(pending, id) }));
  }

  /** Writes what was decided where only one can be; whether it was decided so, now or before. */
  async function settle(transaction: Transaction, undone: boolean): Promise<boolean> {
    const { id } = transaction;
    const Key = keyOf(manifests, id);
    try {
      await putNew(s3, { Bucket, Key, Body: Buffer.from(encodeManifest(transaction, undone)) }, encryption);
    } catch (error) {
      if (!isAnswer(error, 'PreconditionFailed')) throw error;
    }
    // The ledger is the proof of what is archived: what stands there counts, not what an answer claims.
    const decided = await decodedAt(Key, id);
    if (!decided)
      throw new RetryableError(
        `s3://${Bucket}/${Key}: PutObject was answered with success, but the object is not there`,
      );
    await remove(id);
    return decided.undone === undone;
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
      // It is written anew, then deleted: what moved after the first look is found by the third.
      for (const directory of [manifests, pending, manifests]) {
        const decoded = await decodedAt(keyOf(directory, id), id);
        if (decoded) return { ...decoded, finished: directory === manifests && !decoded.undone };
      }
      return undefined;
    },

    finish: (transaction) => settle(transaction, false),
    undo: (transaction) => settle(transaction, true),

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

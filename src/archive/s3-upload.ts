import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  ListPartsCommand,
  UploadPartCommand,
  type StorageClass,
} from '@aws-sdk/client-s3';
import { z } from 'zod';
import { CorruptError, LostFileError, RetryableError, messageOf } from '../errors.ts';
import type { Store } from '../ports.ts';
import type { PreparedFile } from '../types.ts';
import { mapBounded } from '../concurrency.ts';
import { s3Checksum } from './s3-checksum.ts';
import type { S3Connection } from '../s3-client.ts';
import type { S3StoreConfig } from './s3-config.ts';
import { encryptionOf } from './s3-encryption.ts';
import { isAnswer } from '../s3-errors.ts';
import type { S3Objects } from '../s3-objects.ts';

/** Parts of one file that are uploaded at a time. */
const PARALLEL_PARTS = 4;
const CONTENT_TYPES = {
  content: 'application/vnd.apache.parquet',
  feedback: 'application/vnd.apache.parquet',
  dead_letters: 'application/x-ndjson',
} as const;
/** Answers of a Complete for which the upload is not there any more, or not as it was. */
const GONE = ['NoSuchUpload', 'InvalidPart', 'InvalidPartOrder', 'EntityTooSmall'];

/** What publishes a file: the id of its upload, and its parts as the server has them, in order. */
const handleSchema = z.object({
  upload: z.string().min(1),
  parts: z.array(z.object({ etag: z.string(), crc32: z.string(), bytes: z.number().int().min(0) })).min(1),
});
type Handle = z.infer<typeof handleSchema>;

/** Files as multipart uploads: prepared is uploaded, published is completed. See `Store` for what each one promises. */
export interface S3Uploads extends Pick<Store, 'prepare' | 'publish' | 'discard'> {
  /** Aborts an upload; one that is no more is fine. */
  abort(key: string, upload: string): Promise<void>;
  /** Aborts the upload of a prepared file; leaves the file alone if it is published. */
  abortPrepared(file: PreparedFile): Promise<void>;
}

/**
 * Uploads of one bucket (Amazon S3 API, "Multipart upload"). `keyOf` makes the whole key of a file's key, and refuses
 * what leaves the prefix. `settle`: milliseconds after which a request that another process made has come to its end; what was
 * missing for so long is lost.
 */
export function createUploads(
  s3: S3Connection,
  objects: S3Objects,
  config: S3StoreConfig,
  keyOf: (key: string) => string,
  settle: number,
): S3Uploads {
  const { bucket: Bucket } = config;
  /** By upload, when neither it nor its object was found for the first time; milliseconds. */
  const missingSince = new Map<string, number>();
  const uriOf = (key: string) => `s3://${Bucket}/${key}`;

  async function uploadPart(Key: string, UploadId: string, PartNumber: number, Body: Uint8Array) {
    const crc32 = s3Checksum(Body);
    const { ETag } = await s3.send(
      new UploadPartCommand({
        Bucket,
        Key,
        UploadId,
        PartNumber,
        Body,
        ContentLength: Body.length,
        ChecksumAlgorithm: 'CRC32',
        ChecksumCRC32: crc32,
      }),
    );
    if (!ETag) throw unreadable(Key, 'UploadPart', 'ETag');
    return { etag: ETag, crc32, bytes: Body.length };
  }

  async function abort(Key: string, UploadId: string): Promise<void> {
    try {
      await s3.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
    } catch (error) {
      if (!isAnswer(error, 'NoSuchUpload', 'NotFound', 'NoSuchKey')) throw error;
    }
  }

  /** While one process completes an upload, a server may tell another one that there is neither upload nor object. */
  function mayAppear(upload: string): boolean {
    const since = missingSince.get(upload) ?? performance.now();
    missingSince.set(upload, since);
    return performance.now() - since < settle;
  }

  async function isOpen(Key: string, UploadId: string): Promise<boolean> {
    try {
      await s3.send(new ListPartsCommand({ Bucket, Key, UploadId, MaxParts: 1 }));
      return true;
    } catch (error) {
      if (isAnswer(error, 'NoSuchUpload', 'NotFound')) return false;
      throw error;
    }
  }

  /** Whether the server says that it completed the upload; false: there is no such upload, which it may have said before. */
  async function complete(Key: string, { upload, parts }: Handle): Promise<boolean> {
    const Parts = parts.map(({ etag, crc32 }, index) => ({
      PartNumber: index + 1,
      ETag: etag,
      ChecksumCRC32: crc32,
    }));
    try {
      await s3.send(
        new CompleteMultipartUploadCommand({ Bucket, Key, UploadId: upload, MultipartUpload: { Parts } }),
      );
      return true;
    } catch (error) {
      if (isAnswer(error, ...GONE)) return false;
      throw error;
    }
  }

  return {
    abort,

    async prepare(file, content) {
      const Key = keyOf(file.key);
      const { UploadId } = await s3.send(
        new CreateMultipartUploadCommand({
          Bucket,
          Key,
          ChecksumAlgorithm: 'CRC32',
          ContentType: CONTENT_TYPES[file.kind],
          ...encryptionOf(config.encryption, file.kind === 'dead_letters' ? undefined : file.customer),
          ...(file.kind !== 'dead_letters' && config.storage_class
            ? { StorageClass: config.storage_class as StorageClass }
            : {}),
        }),
      );
      if (!UploadId) throw unreadable(Key, 'CreateMultipartUpload', 'UploadId');
      try {
        const parts = await mapBounded(cut(content, config.part_bytes), PARALLEL_PARTS, (part, index) =>
          uploadPart(Key, UploadId, index + 1, part),
        );
        return { ...file, handle: { upload: UploadId, parts } satisfies Handle };
      } catch (error) {
        // What cannot be aborted now is swept later; the reason matters more.
        await abort(Key, UploadId).catch(() => undefined);
        // Whoever aborted it: another upload can do the same.
        if (isAnswer(error, 'NoSuchUpload')) throw new RetryableError(messageOf(error), { cause: error });
        throw error;
      }
    },

    async publish(file) {
      const Key = keyOf(file.key);
      const handle = handleOf(file, uriOf(Key));
      const uploaded = handle.parts.reduce((sum, { bytes }) => sum + bytes, 0);
      if (uploaded !== file.bytes) throw lost(uriOf(Key), file.bytes, `an upload of ${uploaded} bytes`);
      const completed = await complete(Key, handle);
      // Servers answer 200 for objects that are not there, and "no such upload" for those that are: only the object counts.
      const size = await objects.sizeOf(Key);
      if (size === file.bytes) {
        missingSince.delete(handle.upload);
        return;
      }
      if (size === undefined && completed && (await isOpen(Key, handle.upload)))
        throw new RetryableError(
          `${uriOf(Key)}: CompleteMultipartUpload was answered with success, but the object is not there`,
        );
      if (size === undefined && mayAppear(handle.upload))
        throw new RetryableError(
          `${uriOf(Key)}: neither the upload nor the object is there; waiting for another process that may publish it`,
        );
      throw lost(
        uriOf(Key),
        file.bytes,
        `${size === undefined ? 'no object' : `${size} bytes`}, and no upload ${handle.upload} that could become it`,
      );
    },

    async discard(files) {
      const outcomes = await Promise.allSettled(
        files.map(async (file) => {
          const Key = keyOf(file.key);
          await abort(Key, handleOf(file, uriOf(Key)).upload);
          await s3.send(new DeleteObjectCommand({ Bucket, Key }));
        }),
      );
      // All are tried before the first failure is thrown.
      for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
    },

    async abortPrepared(file) {
      const Key = keyOf(file.key);
      await abort(Key, handleOf(file, uriOf(Key)).upload);
    },
  };
}

/** Parts of that size, the last one smaller; one empty part of nothing, since an upload needs one. */
export function cut(content: Uint8Array, partBytes: number): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (let start = 0; start < content.length; start += partBytes)
    parts.push(content.subarray(start, start + partBytes));
  return parts.length > 0 ? parts : [content];
}

function handleOf(file: PreparedFile, uri: string): Handle {
  const result = handleSchema.safeParse(file.handle);
  if (result.success) return result.data;
  throw new CorruptError(
    `${uri}: expected the upload of a file in its manifest, got ${JSON.stringify(file.handle).slice(0, 100)}: ` +
      'was this manifest written for another kind of store?',
  );
}

function lost(uri: string, bytes: number, got: string): LostFileError {
  return new LostFileError(
    `${uri}: expected ${bytes} bytes of a committed transaction, got ${got}; check that no lifecycle rule or ` +
      'other program removes uploads (AbortIncompleteMultipartUpload: 8 days or more) or objects below this prefix',
  );
}

function unreadable(key: string, operation: string, field: string): RetryableError {
  return new RetryableError(`${key}: expected an answer to ${operation} with ${field}, got one without it`);
}

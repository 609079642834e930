import { DeleteObjectCommand, ListMultipartUploadsCommand, ListPartsCommand } from '@aws-sdk/client-s3';
import { randomUUID } from 'node:crypto';
import { MisconfiguredError } from '../errors.ts';
import type { PreparedFile } from '../types.ts';
import { checksum } from './encode.ts';
import type { S3Connection } from '../s3-client.ts';
import type { S3StoreConfig } from './s3-config.ts';
import { asMisconfigured, isAnswer } from '../s3-errors.ts';
import { putNew } from './s3-ledger.ts';
import type { S3Objects } from '../s3-objects.ts';
import type { S3Uploads } from './s3-upload.ts';

/** What a check works with. */
export interface CheckPorts {
  readonly connection: S3Connection;
  readonly config: S3StoreConfig;
  readonly uploads: S3Uploads;
  readonly objects: S3Objects;
}

/**
 * Does below `_sluice/check-<uuid>/` everything that the store will do, so that a missing permission, a wrong key or a
 * server that is not exact shows at the start. Removes what it made. Throws MisconfiguredError with the way out.
 */
export async function checkS3(ports: CheckPorts): Promise<void> {
  try {
    await probe(ports);
  } catch (error) {
    throw asMisconfigured(error, 'archive.store');
  }
}

async function probe({ connection: s3, config, uploads, objects }: CheckPorts): Promise<void> {
  const { bucket: Bucket, prefix, encryption } = config;
  const directory = `_sluice/check-${randomUUID()}/`;
  const below = `${prefix}${directory}`;
  const content = Buffer.from('sluice');
  const named = (name: string): Omit<PreparedFile, 'handle'> => ({
    key: `${directory}${name}.jsonl`,
    bytes: content.length,
    rows: 1,
    crc32: checksum(content),
    kind: 'content',
  });
  const prepared: PreparedFile[] = [];
  const prepare = async (name: string) => {
    const file = await uploads.prepare(named(name), content);
    prepared.push(file);
    return file;
  };
  const manifest = { Bucket, Key: `${below}manifest.json`, Body: content };
  const remove = (Key: string) => s3.send(new DeleteObjectCommand({ Bucket, Key }));
  const expect = (holds: boolean, what: string) => {
    if (!holds) throw new MisconfiguredError(`archive.store: s3://${Bucket}/${below}: ${what}`);
  };

  try {
    const file = await prepare('check');
    const UploadId = String(file.handle['upload']);
    await s3.send(new ListPartsCommand({ Bucket, Key: prefix + file.key, UploadId }));
    expect(
      (await objects.sizeOf(prefix + file.key)) === undefined,
      'the server shows an upload before it is completed, so that no flush could be taken back',
    );
    await uploads.publish(file);
    expect(
      content.equals((await objects.read(prefix + file.key)) ?? new Uint8Array()),
      'an uploaded file reads back otherwise than it was written',
    );
    await putNew(s3, manifest, encryption);
    const twice = await putNew(s3, manifest, encryption).then(
      () => true,
      (error: unknown) => {
        if (isAnswer(error, 'PreconditionFailed')) return false;
        throw error;
      },
    );
    expect(
      !twice,
      'the server ignores `If-None-Match: *`, so that a manifest could be overwritten: use a newer version of it',
    );
    // Aborting proves a permission of its own.
    await uploads.discard([await prepare('aborted')]);
    await s3.send(new ListMultipartUploadsCommand({ Bucket, Prefix: below, MaxUploads: 1 }));
    let listed = 0;
    for await (const object of objects.list(below)) if (object.key.startsWith(below)) listed++;
    expect(listed === 2, `expected a listing of 2 objects, got ${listed}`);
  } catch (error) {
    await cleanUp().catch(() => undefined); // Why the check failed matters more than what it leaves.
    throw error;
  }
  await cleanUp();
  for await (const { key } of objects.list(below)) expect(false, `${key} was deleted and is still listed`);

  async function cleanUp(): Promise<void> {
    await uploads.discard(prepared);
    await remove(manifest.Key);
  }
}

import { ListMultipartUploadsCommand, type ListMultipartUploadsCommandOutput } from '@aws-sdk/client-s3';
import { CorruptError, StoreError } from '../errors.ts';
import type { PreparedFile } from '../types.ts';
import { transactionOfKey } from './keys.ts';
import type { S3Connection } from '../s3-client.ts';
import type { S3StoreConfig } from './s3-config.ts';
import type { S3Ledger } from './s3-ledger.ts';
import type { S3Objects } from '../s3-objects.ts';
import type { S3Uploads } from './s3-upload.ts';

/** An upload that is not completed. */
interface OpenUpload {
  /** Whole key. */
  readonly key: string;
  readonly upload: string;
  /** When it began, milliseconds UTC of the server's clock. */
  readonly since: number;
}

/** What a sweep goes by. */
export interface SweepRule {
  /** The server's clock, milliseconds UTC. */
  readonly now: number;
  /** Milliseconds: what is younger may still be committed. */
  readonly age: number;
  /** Transactions of which nothing may be removed. */
  readonly keep: ReadonlySet<string>;
}

/**
 * Whether nobody can ever publish what belongs to a transaction. An unknown age, or a file that belongs to none, is left
 * alone.
 */
export function isAbandoned(
  transaction: string | undefined,
  since: number,
  { now, age, keep }: SweepRule,
): boolean {
  return transaction !== undefined && !keep.has(transaction) && now - since >= age;
}

/** Where a sweep works, and whose transactions it may remove. */
export interface SweepPorts {
  readonly connection: S3Connection;
  readonly config: S3StoreConfig;
  readonly uploads: S3Uploads;
  readonly objects: S3Objects;
  readonly ledger: S3Ledger;
  /** `pipeline` of the transactions that may be removed; undefined: of all. */
  readonly owner: string | undefined;
  readonly age: number;
}

/**
 * Removes uploads and pending manifests that are abandoned, going by the clock of the server alone: those of machines jump.
 * An upload without a manifest was never committed, whoever began it; one with a manifest is its pipeline's to remove.
 * Returns how many uploads and manifests.
 */
export async function sweep(keep: ReadonlySet<string>, ports: SweepPorts): Promise<number> {
  const { uploads, ledger, connection, config, age } = ports;
  const held = new Set(keep);
  const abandoned = new Map<string, readonly PreparedFile[]>();
  for await (const { id, since } of ledger.pending()) {
    const old = isAbandoned(id, since, { now: timeOf(connection, config), age, keep });
    const files = old ? await ownFiles(id, ports) : undefined;
    if (files) abandoned.set(id, files);
    else held.add(id);
  }
  let removed = 0;
  for await (const { key, upload, since } of openUploads(connection, config)) {
    const rule = { now: timeOf(connection, config), age, keep: held };
    const id = transactionOfKey(key);
    if (!isAbandoned(id, since, rule)) continue;
    if (id !== undefined && (await isOfInnerArchive(key, id, ports))) continue;
    await uploads.abort(key, upload);
    removed++;
  }
  for (const [id, files] of abandoned) {
    // Some servers do not list uploads by a prefix; the manifest knows them too.
    for (const file of files) await uploads.abortPrepared(file);
    await ledger.remove(id);
    removed++;
  }
  return removed;
}

/** Whether an archive below this one, whose prefix this one's is the beginning of, has a manifest for the upload. */
async function isOfInnerArchive(key: string, id: string, { config, objects }: SweepPorts): Promise<boolean> {
  const steps = key.slice(config.prefix.length).split('/').slice(0, -1);
  for (let depth = 1; depth <= steps.length; depth++) {
    const inner = `${config.prefix}${steps.slice(0, depth).join('/')}/`;
    if ((await objects.sizeOf(`${inner}_sluice/pending/${id}.json`)) !== undefined) return true;
  }
  return false;
}

/** Files of a transaction that may still be uploads; undefined when its manifest is not the owner's to remove. */
async function ownFiles(
  id: string,
  { ledger, owner }: SweepPorts,
): Promise<readonly PreparedFile[] | undefined> {
  try {
    const manifest = await ledger.readManifest(id);
    if (!manifest) return [];
    if (owner !== undefined && manifest.transaction.pipeline !== owner) return undefined;
    return manifest.finished ? [] : manifest.transaction.files;
  } catch (error) {
    // Nobody knows whose a damaged manifest is: it stays for whoever recovers or verifies it.
    if (error instanceof CorruptError) return undefined;
    throw error;
  }
}

async function* openUploads(
  s3: S3Connection,
  { bucket: Bucket, prefix: Prefix }: S3StoreConfig,
): AsyncGenerator<OpenUpload> {
  let markers: { KeyMarker?: string; UploadIdMarker?: string } | undefined = {};
  while (markers) {
    const page: ListMultipartUploadsCommandOutput = await s3.send(
      new ListMultipartUploadsCommand({ Bucket, Prefix, ...markers }),
    );
    for (const { Key, UploadId, Initiated } of page.Uploads ?? []) {
      if (Key === undefined || UploadId === undefined) continue;
      yield { key: Key, upload: UploadId, since: Initiated?.getTime() ?? NaN };
    }
    markers = undefined;
    if (page.IsTruncated && page.NextKeyMarker)
      markers = {
        KeyMarker: page.NextKeyMarker,
        ...(page.NextUploadIdMarker ? { UploadIdMarker: page.NextUploadIdMarker } : {}),
      };
  }
}

function timeOf(connection: S3Connection, { bucket, prefix }: S3StoreConfig): number {
  const time = connection.serverTime();
  if (time !== undefined) return time;
  throw new StoreError(
    `s3://${bucket}/${prefix}: expected answers with a Date header, got none: the age of unfinished uploads is unknown`,
  );
}

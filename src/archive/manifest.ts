import { z } from 'zod';
import { CorruptError } from '../errors.ts';
import { checksum } from './encode.ts';
import type { Transaction } from '../types.ts';

const wholeNumber = z.number().int();
const manifestSchema = z.object({
  version: z.literal(1),
  id: z.string().min(1),
  pipeline: z.string().default(''),
  undone: z.boolean().default(false),
  createdAt: z.string(),
  reason: z.enum(['bytes', 'rows', 'age', 'memory', 'revoke', 'end']),
  files: z.array(
    z.object({
      key: z.string().min(1),
      bytes: wholeNumber.min(0),
      rows: wholeNumber.min(0),
      crc32: z.string(),
      handle: z.record(z.string(), z.unknown()),
      kind: z.enum(['content', 'feedback', 'dead_letters']),
      customer: z.string().exactOptional(),
      minCreatedAt: z.number().exactOptional(),
      maxCreatedAt: z.number().exactOptional(),
    }),
  ),
  partitions: z.array(
    z.object({
      topic: z.string(),
      partition: wholeNumber,
      from: wholeNumber,
      to: wholeNumber,
      rows: wholeNumber.min(0),
      deadLetters: wholeNumber.min(0),
      skipped: wholeNumber.min(0),
      absent: wholeNumber.min(0).default(0),
    }),
  ),
});

const WAY_OUT =
  'restore it from a backup, or from an older version of the object: nothing else knows which files belong to that commit';

/** A manifest as it stands in its file: JSON of `{ crc32, transaction }`, so that damage is seen; one that is undone says so. */
export function encodeManifest(transaction: Transaction, undone = false): string {
  const body = JSON.stringify(undone ? { ...transaction, undone } : transaction);
  return `{"crc32":"${checksum(Buffer.from(body))}","transaction":${body}}\n`;
}

/** Reads {@link encodeManifest}'s text back. Throws CorruptError naming `where` when it is damaged or not of `id`. */
export function decodeManifest(
  text: string,
  id: string,
  where: string,
): { readonly transaction: Transaction; readonly undone: boolean } {
  const match = /^\{"crc32":"([0-9a-f]{8})","transaction":([^]*)\}\n$/.exec(text);
  if (!match || checksum(Buffer.from(match[2]!)) !== match[1]) {
    throw new CorruptError(
      `${where}: expected a manifest that fits its checksum, got ${text.length} damaged characters; ${WAY_OUT}`,
    );
  }
  const result = manifestSchema.safeParse(JSON.parse(match[2]!));
  if (!result.success || result.data.id !== id) {
    throw new CorruptError(
      `${where}: expected the manifest of transaction ${id}, got ${result.success ? `that of ${result.data.id}` : z.prettifyError(result.error)}; ${WAY_OUT}`,
    );
  }
  const { undone, ...transaction } = result.data;
  return { transaction, undone };
}

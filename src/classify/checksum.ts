import { createHash, type Hash } from 'node:crypto';
import { closeSync, createReadStream, openSync, readSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';

/** Bytes read at a time: model files can be larger than a buffer may be. */
const CHUNK = 1 << 20;

/** SHA-256 of a file, 64 hex digits; holds the thread. */
export function sha256(file: string): string {
  const hash = createHash('sha256');
  const chunk = Buffer.allocUnsafe(CHUNK);
  const descriptor = openSync(file, 'r');
  try {
    for (let bytes = readSync(descriptor, chunk); bytes > 0; bytes = readSync(descriptor, chunk))
      hash.update(chunk.subarray(0, bytes));
  } finally {
    closeSync(descriptor);
  }
  return hash.digest('hex');
}

/** SHA-256 of a file, 64 hex digits; the thread goes on meanwhile. */
export async function sha256Later(file: string): Promise<string> {
  const hash: Hash = createHash('sha256');
  await pipeline(createReadStream(file, { highWaterMark: CHUNK }), hash);
  return hash.digest('hex');
}

/** SHA-256 of a text, 64 hex digits. */
export function sha256OfText(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

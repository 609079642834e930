import { createGunzip } from 'node:zlib';

/** What one call is given: bounds what it can unfold to (64 MiB), and what a damage within it keeps back at first. */
const PIECE = 64 * 1024;

/** Whether bytes begin as gzip does. */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/**
 * Decompresses gzip, also several members one after the other. When the stream is damaged or ends early, everything that
 * came before is yielded first, then zlib's error is thrown. `reopen` gives the same compressed bytes from the start:
 * zlib keeps back what it had unfolded in the call that failed, so that part is fed again byte by byte. Null where
 * nothing can be read twice; then up to 64 KiB of compressed data before the damage are not seen.
 */
export async function* gunzip(
  compressed: AsyncIterable<Buffer>,
  reopen: (() => AsyncIterable<Buffer>) | null,
): AsyncGenerator<Buffer> {
  const progress = { taken: 0, given: 0 };
  try {
    yield* unfold(compressed, progress);
  } catch (error) {
    if (!reopen || !(error instanceof Error && 'code' in error && String(error.code).startsWith('Z_')))
      throw error;
    yield* unfold(reopen(), { taken: 0, given: 0 }, progress);
    throw error;
  }
}

/** Counts in `progress` the bytes of whole calls. With `after`, leaves out what was given and goes in single bytes then. */
async function* unfold(
  compressed: AsyncIterable<Buffer>,
  progress: { taken: number; given: number },
  after?: Readonly<{ taken: number; given: number }>,
): AsyncGenerator<Buffer> {
  const stream = createGunzip({ chunkSize: 128 * 1024 });
  let out: Buffer[] = [];
  const state: { failure: Error | null } = { failure: null };
  let settled: () => void = () => undefined;
  stream.on('data', (chunk: Buffer) => out.push(chunk));
  stream.on('end', () => settled());
  stream.on('error', (error) => {
    state.failure = error;
    settled();
  });

  function take(): Buffer[] {
    const chunks: Buffer[] = [];
    for (const chunk of out) {
      const skip = Math.min(chunk.length, Math.max(0, (after?.given ?? 0) - progress.given));
      progress.given += chunk.length;
      if (skip < chunk.length) chunks.push(chunk.subarray(skip));
    }
    out = [];
    return chunks;
  }

  try {
    for await (const chunk of compressed) {
      for (let at = 0; at < chunk.length;) {
        const size = after && progress.taken >= after.taken ? 1 : PIECE;
        const piece = chunk.subarray(at, at + size);
        await new Promise<void>((resolve) => {
          settled = resolve;
          stream.write(piece, () => resolve());
        });
        yield* take();
        if (state.failure) throw state.failure;
        at += piece.length;
        progress.taken += piece.length;
      }
    }
    await new Promise<void>((resolve) => {
      settled = resolve;
      stream.end();
    });
    yield* take();
    if (state.failure) throw state.failure;
  } finally {
    stream.destroy();
  }
}

import { open, type FileHandle } from 'node:fs/promises';
import { gunzip, isGzip } from './gunzip.ts';

const CHUNK = 256 * 1024;

/** What {@link readFileBytes} and {@link readStreamBytes} tell while they read. */
export interface ReadProgress {
  /** Called with the number of bytes of the file (compressed or plain) that were read. */
  readonly onRead: (bytes: number) => void;
  /** Called once, before the first chunk. */
  readonly onKind: (kind: 'gzip' | 'plain') => void;
}

/**
 * Plain bytes of a file from byte `start` to its present end; unpacks gzip, which is told by its first bytes, when read
 * from the start. Throws what the file system or zlib throws, after everything before the damage.
 */
export async function* readFileBytes(
  path: string,
  start: number,
  progress: ReadProgress,
): AsyncGenerator<Buffer> {
  const chunks = readChunks(path, start, progress.onRead);
  if (start > 0) yield* chunks;
  else yield* unpack(chunks, progress.onKind, () => readChunks(path, 0, () => undefined));
}

/** Plain bytes of a stream that can be read once, such as standard input; unpacks gzip. */
export async function* readStreamBytes(
  stream: AsyncIterable<Buffer | string>,
  progress: ReadProgress,
): AsyncGenerator<Buffer> {
  async function* chunks(): AsyncGenerator<Buffer> {
    for await (const chunk of stream) {
      const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
      progress.onRead(bytes.length);
      yield bytes;
    }
  }
  yield* unpack(chunks(), progress.onKind, null);
}

async function* unpack(
  chunks: AsyncGenerator<Buffer>,
  onKind: ReadProgress['onKind'],
  reopen: (() => AsyncIterable<Buffer>) | null,
): AsyncGenerator<Buffer> {
  try {
    let first = Buffer.alloc(0);
    // A pipe may deliver a single byte, which does not tell yet.
    while (first.length < 2) {
      const next = await chunks.next();
      if (next.done) break;
      first = first.length === 0 ? Buffer.from(next.value) : Buffer.concat([first, next.value]);
    }
    // Node's own decompressor ends at the first frame of several without a word, so lines would be lost.
    if (first[0] === 0x28 && first[1] === 0xb5)
      throw new Error('expected JSON lines, plain or gzip, or Parquet, got zstd: unpack it first');
    const whole = startingWith(first, chunks);
    onKind(isGzip(first) ? 'gzip' : 'plain');
    yield* isGzip(first) ? gunzip(whole, reopen) : whole;
  } finally {
    await chunks.return(undefined);
  }
}

async function* startingWith(first: Buffer, rest: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  if (first.length > 0) yield first;
  yield* rest;
}

async function* readChunks(
  path: string,
  start: number,
  onRead: (bytes: number) => void,
): AsyncGenerator<Buffer> {
  const file: FileHandle = await open(path, 'r');
  try {
    for (let position = start; ;) {
      // A buffer of its own each time: parts of it are still in the batches that are being put together.
      const buffer = Buffer.allocUnsafeSlow(CHUNK);
      const { bytesRead } = await file.read(buffer, 0, CHUNK, position);
      if (bytesRead === 0) return;
      position += bytesRead;
      onRead(bytesRead);
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

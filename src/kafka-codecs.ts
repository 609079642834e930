import { promisify } from 'node:util';
import {
  constants,
  gunzip,
  gzip,
  zstdCompress,
  zstdDecompress,
  type Zlib,
  type ZstdOptions,
} from 'node:zlib';
import kafkajs from 'kafkajs';
import { compressFrame, decompressFrame } from 'lz4-napi';
import { compress, uncompress } from 'snappy';
import { freeWhole } from './memory.ts';

/** Compresses and restores the records of a record batch, off the main thread. */
export interface Codec {
  compress(bytes: Buffer): Promise<Buffer>;
  decompress(bytes: Buffer): Promise<Buffer>;
  /** Gives back the memory of what `decompress` gave, which nobody may use any more. */
  release?(bytes: Buffer): void;
}

/** Codecs by the number in a record batch's attributes (bits 0 to 2; Kafka protocol, "Record Batch"); 0 is none. */
export const CODECS: ReadonlyMap<number, Codec> = new Map([
  [
    1,
    {
      compress: promisify(gzip),
      decompress: (bytes) => promisify(gunzip)(bytes, { chunkSize: roomFor(bytes) }),
      release: freeWhole,
    },
  ],
  [2, { compress: (bytes) => compress(bytes), decompress: decompressSnappy }],
  [3, { compress: (bytes) => compressFrame(bytes), decompress: (bytes) => decompressFrame(bytes) }],
  [
    4,
    {
      compress: (bytes) =>
        promisify(zstdCompress)(bytes, { params: { [constants.ZSTD_c_compressionLevel]: 3 } }),
      decompress: decompressZstd,
      release: freeWhole,
    },
  ],
]);

/** Most that is set aside at once where a frame does not tell its size. */
const MOST_GUESS = 2 * 1024 ** 2;
/** Most that is believed of a frame that tells. */
const MOST_TOLD = 64 * 1024 ** 2;

/**
 * Memory to decompress into, bytes. Each part of the output is a task of its own for Node's thread pool: in its usual 16 KiB
 * they cost three times as much as one part does (docs/decisions/018).
 */
function roomFor(compressed: Buffer): number {
  // A little more than needed: a part that is just filled makes Node ask for another one.
  const told = zstdContentSize(compressed);
  if (told !== undefined && told <= MOST_TOLD) return told + 64;
  return Math.min(MOST_GUESS, Math.max(65_536, compressed.length * 5));
}

/** With `info` the answer tells how much of the input was used. */
const decompressFrames = promisify(zstdDecompress) as unknown as (
  bytes: Buffer,
  options: ZstdOptions & { readonly info: true },
) => Promise<{ readonly buffer: Buffer; readonly engine: Zlib }>;

/** All frames, one after the other: Node stops behind the first, and says nothing of the rest. */
async function decompressZstd(bytes: Buffer): Promise<Buffer> {
  const parts: Buffer[] = [];
  let at = 0;
  do {
    const rest = bytes.subarray(at);
    const { buffer, engine } = await decompressFrames(rest, { chunkSize: roomFor(rest), info: true });
    parts.push(buffer);
    at += engine.bytesWritten;
    if (engine.bytesWritten === 0) break;
  } while (at < bytes.length);
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
}

/** What a zstd frame says of the size of its content; undefined where it says nothing (RFC 8878, section 3.1.1). */
function zstdContentSize(frame: Buffer): number | undefined {
  if (frame.length < 18 || frame.readUInt32LE(0) !== 0xfd2fb528) return undefined;
  const descriptor = frame[4]!;
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const at = 5 + (isSingleSegment ? 0 : 1) + [0, 1, 2, 4][descriptor & 3]!;
  switch (descriptor >> 6) {
    case 0:
      return isSingleSegment ? frame[at] : undefined;
    case 1:
      return frame.readUInt16LE(at) + 256;
    case 2:
      return frame.readUInt32LE(at);
    default:
      return Number(frame.readBigUInt64LE(at));
  }
}

/** Makes kafkajs know all codecs; it brings gzip only. Idempotent. */
export function registerCodecs(): void {
  for (const [number, own] of CODECS) {
    const codec = {
      compress: ({ buffer }: { readonly buffer: Buffer }) => own.compress(buffer),
      decompress: (bytes: Buffer) => own.decompress(bytes),
    };
    Object.assign(kafkajs.CompressionCodecs, { [number]: () => codec });
  }
}

/** First bytes of the framing that Kafka's Java client puts around snappy blocks (snappy-java's SnappyOutputStream). */
const FRAMED = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
/** The magic, a version and a least compatible version, four bytes each. */
const FRAME_HEADER = 16;

/** One bare block (librdkafka, kafkajs), or framed ones, each with its length in four bytes before it. */
async function decompressSnappy(bytes: Buffer): Promise<Buffer> {
  if (bytes.length < FRAME_HEADER || !bytes.subarray(0, FRAMED.length).equals(FRAMED))
    return asBuffer(await uncompress(bytes));
  const blocks: Promise<Buffer>[] = [];
  for (let at = FRAME_HEADER; at < bytes.length;) {
    const length = bytes.readUInt32BE(at);
    blocks.push(uncompress(bytes.subarray(at + 4, at + 4 + length)).then(asBuffer));
    at += 4 + length;
  }
  return Buffer.concat(await Promise.all(blocks));
}

function asBuffer(data: string | Uint8Array): Buffer {
  return typeof data === 'string'
    ? Buffer.from(data)
    : Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}

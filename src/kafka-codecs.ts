import { promisify } from 'node:util';
import { constants, gunzip, gzip, zstdCompress, zstdDecompress } from 'node:zlib';
import kafkajs from 'kafkajs';
import { compressFrame, decompressFrame } from 'lz4-napi';
import { compress, uncompress } from 'snappy';

/** Compresses and restores the records of a record batch, off the main thread. */
export interface Codec {
  compress(bytes: Buffer): Promise<Buffer>;
  decompress(bytes: Buffer): Promise<Buffer>;
}

/** Codecs by the number in a record batch's attributes (bits 0 to 2; Kafka protocol, "Record Batch"); 0 is none. */
export const CODECS: ReadonlyMap<number, Codec> = new Map([
  [1, { compress: promisify(gzip), decompress: promisify(gunzip) }],
  [2, { compress: (bytes) => compress(bytes), decompress: decompressSnappy }],
  [3, { compress: (bytes) => compressFrame(bytes), decompress: (bytes) => decompressFrame(bytes) }],
  [
    4,
    {
      compress: (bytes) =>
        promisify(zstdCompress)(bytes, { params: { [constants.ZSTD_c_compressionLevel]: 3 } }),
      decompress: promisify(zstdDecompress),
    },
  ],
]);

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

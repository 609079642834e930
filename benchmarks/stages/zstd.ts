import { constants, zstdCompressSync } from 'node:zlib';
import { rawBatches } from './batches.ts';
import type { Stage } from './stage.ts';

const MIB = 1024 ** 2;

/** The limit of compressing: zstd level 1 over the messages' own bytes, a mebibyte at a time. */
export function open(): Promise<Stage> {
  const bytes = Buffer.concat(rawBatches(50_000).map((batch) => batch.bytes));
  const params = { [constants.ZSTD_c_compressionLevel]: 1 };
  return Promise.resolve({
    count: 50_000,
    run() {
      let bytesOut = 0;
      for (let at = 0; at < bytes.length; at += MIB)
        bytesOut += zstdCompressSync(bytes.subarray(at, at + MIB), { params }).length;
      return Promise.resolve({ bytesOut });
    },
  });
}

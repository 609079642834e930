import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { MisconfiguredError } from '../errors.ts';
import { createObjectFiles, isObjectUrl } from '../object-files.ts';
import type { S3ConnectionConfig } from '../s3-connection-config.ts';

/**
 * Runs `act` with labelled data that lies on this machine: what lies in S3 is downloaded, and removed afterwards. Throws
 * MisconfiguredError for a prefix: labelled data in S3 are single objects.
 */
export async function withLocalData<Result>(
  paths: readonly string[],
  s3: S3ConnectionConfig,
  act: (local: readonly string[]) => Promise<Result>,
): Promise<Result> {
  if (!paths.some(isObjectUrl)) return await act(paths);
  const directory = await mkdtemp(join(tmpdir(), 'sluice-evaluate-'));
  const files = createObjectFiles(s3);
  try {
    const local: string[] = [];
    for (const [index, path] of paths.entries()) {
      if (!isObjectUrl(path)) {
        local.push(path);
        continue;
      }
      if (!/\.\w+$/.test(basename(path)))
        throw new MisconfiguredError(
          `--data: expected a file such as s3://bucket/test.parquet, got the prefix ${path}; copy an archive to a directory to read it`,
        );
      const file = join(directory, `${index}-${basename(path)}`);
      await files.download(path, file);
      local.push(file);
    }
    return await act(local);
  } finally {
    files.close();
    await rm(directory, { recursive: true, force: true });
  }
}

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InputError } from '../../src/errors.ts';
import { openArchivedFiles, type ArchivedFiles } from '../../src/policy/archived-rows.ts';
import { archiveRows, writeParquet } from '../ingest/parquet-file.ts';

let directory: string;
let archived: ArchivedFiles;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'sluice-archived-'));
  archived = await openArchivedFiles();
});
afterAll(() => {
  archived.close();
  rmSync(directory, { recursive: true });
});

async function countOf(path: string): Promise<number> {
  const labels = await archived.labelsOf(path);
  const query = { labels, present: new Set(labels), sample: 1, withTexts: true };
  let rows = 0;
  for await (const { customers } of archived.read(path, query)) rows += customers.length;
  return rows;
}

describe('openArchivedFiles', () => {
  it('reads all rows, or says that a file is damaged', async () => {
    const path = join(directory, 'part.parquet');
    await writeParquet(path, archiveRows(60_000), 5_000);
    expect(await countOf(path)).toBe(60_000);
    const bytes = readFileSync(path);
    writeFileSync(path, bytes.fill(0xff, bytes.length >> 1, (bytes.length >> 2) * 3));
    await expect(countOf(path)).rejects.toThrow(InputError);
  });
});

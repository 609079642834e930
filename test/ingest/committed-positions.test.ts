import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { committedPositions } from '../../src/ingest/committed-positions.ts';
import { takeOverPositions } from '../../src/ingest/position-file.ts';

const scratch = mkdtempSync(join(tmpdir(), 'sluice-committed-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

it('reads what is committed, and leaves the file to its owner', async () => {
  const path = join(scratch, 'positions');
  expect(await committedPositions(path, 't')).toEqual([]);
  const owner = await takeOverPositions(path);
  await owner.register(['/a', '/b']);
  await owner.commit(new Map([[0, 7]]), 'tx1');
  const before = readFileSync(path, 'utf8');
  expect(await committedPositions(path, 't')).toEqual([
    { topic: 't', partition: 0, offset: 7, transaction: 'tx1' },
    { topic: 't', partition: 1, offset: 0, transaction: '' },
  ]);
  expect(readFileSync(path, 'utf8')).toBe(before);
  await owner.commit(new Map([[1, 3]]), 'tx2');
  expect((await committedPositions(path, 't'))[1]).toMatchObject({ offset: 3, transaction: 'tx2' });
});

it('throws when the file is damaged, or is none', async () => {
  const path = join(scratch, 'damaged');
  writeFileSync(path, 'x');
  await expect(committedPositions(path, 't')).rejects.toMatchObject({ name: 'CorruptError' });
  await expect(committedPositions(scratch, 't')).rejects.toMatchObject({ name: 'StoreError' });
});

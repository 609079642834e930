import { readFile } from 'node:fs/promises';
import { messageOf, StoreError } from '../errors.ts';
import type { CommittedPosition } from '../ports.ts';
import { foldRecords } from './position-log.ts';

/**
 * What a position file says is committed, read without taking it over: every partition that it knows of, with offset 0 and
 * no transaction before its first commit; nothing when there is no such file. Throws CorruptError when the file is damaged,
 * StoreError when it cannot be read.
 */
export async function committedPositions(path: string, topic: string): Promise<CommittedPosition[]> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw new StoreError(`${path}: cannot read the position file: ${messageOf(error)}`);
  });
  const { files, committed } = foldRecords(text, path);
  return [...new Set([...files.values(), ...committed.keys()])].map((partition) => ({
    topic,
    partition,
    ...(committed.get(partition) ?? { offset: 0, transaction: '' }),
  }));
}

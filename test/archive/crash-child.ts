/**
 * A whole archiver as a process of its own, for crash.test.ts: `node crash-child.ts <directory> <messages>`. Message i is
 * of customer i % 3; every tenth is a dead letter, every eleventh is skipped. Its position lies in `<directory>/position`.
 */
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { createArchive } from '../../src/archive/archive.ts';
import { archiveConfig } from '../../src/archive/config.ts';
import { createDirectoryStore } from '../../src/archive/directory-store.ts';
import { encodeFile } from '../../src/archive/encode.ts';
import type { DeadLetter, Position } from '../../src/types.ts';
import { rowOf, scoredOf } from './rows.ts';

const [directory = '', messages = '0'] = process.argv.slice(2);
const file = join(directory, 'position');
const committed: { offset: number; transaction: string } = existsSync(file)
  ? JSON.parse(readFileSync(file, 'utf8'))
  : { offset: 0, transaction: '' };

function commit(_token: number, [position]: readonly Position[], transaction: string): Promise<void> {
  const descriptor = openSync(`${file}.tmp`, 'w');
  writeSync(descriptor, JSON.stringify({ offset: position!.offset, transaction }));
  fsyncSync(descriptor);
  closeSync(descriptor);
  renameSync(`${file}.tmp`, file);
  return Promise.resolve();
}

function deadLetter(offset: number): DeadLetter {
  const bytes = new TextEncoder().encode(`broken ${offset}`);
  const shared = {
    topic: 'content',
    partition: 0,
    stage: 'decode',
    code: 'not_json',
    detail: 'expected JSON',
  } as const;
  return {
    ...shared,
    offset,
    timestamp: null,
    receivedAt: Date.UTC(2026, 0, 2),
    bytes,
    key: null,
    headers: null,
  };
}

const root = join(directory, 'out');
const archive = createArchive({
  config: archiveConfig.parse({ store: { type: 'directory', path: root } }),
  store: createDirectoryStore({ path: root }),
  encode: encodeFile,
  commit,
});
await archive.recover({
  token: 1,
  partitions: [{ topic: 'content', partition: 0, ...committed }],
  transactions: new Set([committed.transaction]),
});
const size = 20;
for (let first = committed.offset; first < Number(messages); first += size) {
  const offsets = Array.from({ length: Math.min(size, Number(messages) - first) }, (_, i) => first + i);
  const letters = offsets.filter((offset) => offset % 10 === 9);
  const skipped = offsets.filter((offset) => offset % 10 !== 9 && offset % 11 === 0);
  const kept = offsets.filter((offset) => !letters.includes(offset) && !skipped.includes(offset));
  const rows = kept.map((offset) => rowOf({ customer: `c${offset % 3}`, contentId: `message ${offset}` }));
  archive.add(
    scoredOf(
      { rows, first },
      {
        next: first + offsets.length,
        deadLetters: letters.map(deadLetter),
        skipped: { tombstone: skipped.length },
      },
    ),
    1,
  );
  await archive.flush('rows');
}
await archive.close();

import * as fc from 'fast-check';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createDirectoryStore } from '../../src/archive/index.ts';
import { deadLetterFiles } from '../../src/archive/dead-letters.ts';
import { readDeadLetters } from '../../src/archive/read-dead-letters.ts';
import { CorruptError, MisconfiguredError } from '../../src/errors.ts';
import { createArchiveLetters } from '../../src/redrive/archive-letters.ts';
import { createRedriveLedger } from '../../src/redrive/ledger.ts';
import { idOf } from '../../src/redrive/letter.ts';
import { createLineTarget } from '../../src/redrive/line-target.ts';
import type { DeadLetter } from '../../src/types.ts';
import { scratch } from '../e2e/cli.ts';
import { anyLetter, letterAt } from './letters.ts';

const plain = ({ bytes, key, headers, ...fields }: DeadLetter) => ({
  fields: Object.entries(fields).toSorted(([a], [b]) => (a < b ? -1 : 1)),
  bytes: [...bytes],
  key: key && [...key],
  headers: headers && Object.entries(headers).map(([name, value]) => [name, [...value]]),
});

describe('files of dead letters', () => {
  it('are read as they were written', () => {
    fc.assert(
      fc.property(fc.array(anyLetter, { maxLength: 6 }), (letters) => {
        const files = deadLetterFiles(letters, 'tx');
        const read = files.flatMap(({ content, key }) => [...readDeadLetters(content, key)]);
        const order = (list: DeadLetter[]) => list.map((each) => JSON.stringify(plain(each))).toSorted();
        expect(order(read)).toEqual(order(letters));
      }),
    );
  });

  it('name the line that is damaged', () => {
    const [file] = deadLetterFiles([letterAt(1), letterAt(2)], 'tx');
    const text = Buffer.from(file!.content).toString();
    const damaged = (content: string) => [...readDeadLetters(Buffer.from(content), 'tx.jsonl')];
    expect(() => damaged(text.slice(0, -20))).toThrow(CorruptError);
    expect(() => damaged(text.slice(0, -20))).toThrow('tx.jsonl:2: expected a dead letter as JSON');
    expect(() => damaged(text.replace('"decode"', '"encode"'))).toThrow(
      'tx.jsonl:1: expected a dead letter, but stage',
    );
  });

  it('are read day by day, and only the days that are asked for', async () => {
    const root = scratch();
    const days = ['2026-03-01', '2026-03-02', '2026-03-03'];
    for (const [index, day] of days.entries()) {
      const letter = letterAt(index, { receivedAt: Date.parse(`${day}T12:00:00Z`) });
      const [file] = deadLetterFiles([letter], `tx${index}`);
      const folder = join(root, `_dead_letters/dt=${day}`);
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, `tx${index}.jsonl`), file!.content);
    }
    const letters = createArchiveLetters(createDirectoryStore({ path: root }));
    const idsOf = async (since: number, until: number) => {
      const ids: string[] = [];
      await letters.read({
        received: { since, until },
        each: (letter) => Promise.resolve(void ids.push(idOf(letter))),
        onProgress: () => undefined,
        signal: new AbortController().signal,
      });
      return ids;
    };
    expect(await idsOf(-Infinity, Infinity)).toEqual(['content-0-0', 'content-0-1', 'content-0-2']);
    // A file of another day is not even opened.
    writeFileSync(join(root, '_dead_letters/dt=2026-03-01/tx0.jsonl'), 'damaged');
    expect(await idsOf(Date.parse('2026-03-02T23:00:00Z'), Infinity)).toEqual(['content-0-1', 'content-0-2']);
    expect(await idsOf(Date.parse('2026-03-02'), Date.parse('2026-03-03'))).toEqual(['content-0-1']);
    await expect(idsOf(-Infinity, Infinity)).rejects.toThrow(CorruptError);
  });
});

describe('redrive ledger', () => {
  it('remembers letters by id and sink, the last time of each', async () => {
    const root = scratch();
    const store = createDirectoryStore({ path: root });
    const ledger = createRedriveLedger(store);
    expect(await ledger.read()).toEqual(new Map());
    const refused = letterAt(2, { stage: 'deliver', headers: { 'sluice-sink': Buffer.from('hooks') } });
    await ledger.write([
      { letter: letterAt(1), to: 'topic content' },
      { letter: refused, to: 'sink hooks' },
    ]);
    await ledger.write([{ letter: letterAt(1), to: 'topic mended' }]);
    const known = await createRedriveLedger(createDirectoryStore({ path: root })).read();
    expect([...known].map(([key, { to }]) => [key, to])).toEqual([
      ['content-0-1', 'topic mended'],
      ['content-0-2 hooks', 'sink hooks'],
    ]);
    const seen: string[] = [];
    for await (const { key } of store.files()) seen.push(key);
    expect(seen).toEqual([]);
    const [name] = readdirSync(join(root, '_sluice/redriven'));
    writeFileSync(join(root, '_sluice/redriven', name!), '{"id":1}\n');
    await expect(ledger.read()).rejects.toThrow(CorruptError);
  });
});

describe('lines', () => {
  it('are appended to a file that was not there', async () => {
    const path = join(scratch(), 'lines.jsonl');
    const target = createLineTarget(path);
    await target.send([{ line: Buffer.from('a') }, { line: Buffer.from('b') }]);
    await target.send([{ line: Buffer.from('c') }]);
    await target.close();
    expect(readFileSync(path, 'utf8')).toBe('a\nb\nc\n');
    const second = createLineTarget(path);
    await expect(second.send([{ line: Buffer.from('d') }])).rejects.toThrow(MisconfiguredError);
    await second.close();
  });
});

import { randomUUID } from 'node:crypto';
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { CorruptError, FencedError, StoreError } from '../../src/errors.ts';
import { takeOverPositions } from '../../src/ingest/position-file.ts';
import { encodeRecord, foldRecords, type PositionRecord } from '../../src/ingest/position-log.ts';

const directory = mkdtempSync(join(tmpdir(), 'sluice-positions-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const fresh = () => join(directory, randomUUID(), 'positions.jsonl');

const takeover = (epoch: number, owner: string): PositionRecord => ({
  kind: 'takeover',
  version: 1,
  epoch,
  owner,
  at: '2026-01-01T00:00:00Z',
});
const commit = (owner: string, offset: number, transaction = `tx-${offset}`): PositionRecord => ({
  kind: 'commit',
  owner,
  transaction,
  positions: { 0: offset },
});

describe('foldRecords', () => {
  it('nothing yet', () => expect(foldRecords('', 'f')).toMatchObject({ epoch: 0, owner: '' }));

  it('an owner’s records count until the next takeover', () => {
    const owners = ['a', 'b', 'c'];
    const event = fc.record({
      owner: fc.constantFrom(...owners),
      takes: fc.boolean(),
      torn: fc.boolean(),
      keep: fc.nat(),
    });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 20 }), (events) => {
        let text = encodeRecord(takeover(1, 'a'));
        let owner = 'a';
        let epoch = 1;
        let offset = 0;
        let expected = 0;
        for (const { owner: writer, takes, torn, keep } of events) {
          const record = takes ? takeover(epoch + 1, writer) : commit(writer, ++offset);
          const line = encodeRecord(record);
          // A crash may leave any beginning of a record; without its last byte it does not count.
          text += torn ? line.slice(0, keep % line.length) : line;
          if (torn) continue;
          if (takes) {
            owner = writer;
            epoch++;
          } else if (writer === owner) {
            expected = offset;
          }
        }
        const positions = foldRecords(text, 'f');
        expect(positions).toMatchObject({ epoch, owner });
        expect(positions.committed.get(0)?.offset ?? 0).toBe(expected);
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ['garbage', 'garbage'],
    ['garbage lines', 'garbage\ngarbage\t\n'],
    ['a record of another kind', '\n{"kind":"x"}\n'],
    [
      'a damaged record',
      encodeRecord(takeover(1, 'a')) + encodeRecord(commit('a', 1)).replace('"commit"', '"commit'),
    ],
    ['a negative offset', encodeRecord(takeover(1, 'a')) + encodeRecord(commit('a', -1))],
    ['zeros', '\0'.repeat(100)],
    ['a whole JSON of something else', '{"offset":1}'],
  ])('%s is damage, and the message names the file and a way out', (_, text) => {
    expect(() => foldRecords(text, '/state/positions')).toThrow(CorruptError);
    expect(() => foldRecords(text, '/state/positions')).toThrow(/^\/state\/positions: expected .*Restore it/);
  });

  it('a first record that a crash cut off is nothing yet', () => {
    const line = encodeRecord(takeover(1, 'a'));
    for (let length = 0; length < line.length; length++) {
      expect(foldRecords(line.slice(0, length), 'f').epoch).toBe(0);
      expect(foldRecords(line.slice(0, length) + line, 'f').epoch).toBe(1);
    }
  });
});

describe('takeOverPositions', () => {
  it('numbers files in order, and keeps the numbers', async () => {
    const path = fresh();
    const first = await takeOverPositions(path);
    expect([...(await first.register(['/b', '/a', '/b']))]).toEqual([
      ['/b', 0],
      ['/a', 1],
    ]);
    const second = await takeOverPositions(path);
    expect(second.epoch).toBe(first.epoch + 1);
    expect([...(await second.register(['/ü', '/a', '/c']))]).toEqual([
      ['/ü', 2],
      ['/a', 1],
      ['/c', 3],
    ]);
    expect((await (await takeOverPositions(path)).register(['/b'])).get('/b')).toBe(0);
  });

  it('a commit is read back by the next owner', async () => {
    const path = fresh();
    const first = await takeOverPositions(path);
    await first.commit(new Map([[0, 10], [1, 5]]), 'tx-1'); // prettier-ignore
    await first.commit(new Map([[1, 6]]), 'tx-2');
    const second = await takeOverPositions(path);
    for (const owner of [first, second]) {
      expect(owner.committed(0)).toEqual({ offset: 10, transaction: 'tx-1' });
      expect(owner.committed(1)).toEqual({ offset: 6, transaction: 'tx-2' });
      expect(owner.committed(2)).toEqual({ offset: 0, transaction: '' });
    }
  });

  it('of many processes that start and commit at once, what one acknowledges is never lost to another', async () => {
    const path = fresh();
    const acknowledged: number[] = [];
    let fencings = 0;
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        for (let round = 0; round < 5; round++) {
          try {
            const owner = await takeOverPositions(path);
            for (let count = 0; count < 3; count++) {
              const next = owner.committed(0).offset + 1;
              await owner.commit(new Map([[0, next]]), `tx-${next}`);
              acknowledged.push(next);
            }
          } catch (error) {
            expect(error).toBeInstanceOf(FencedError);
            fencings++;
          }
        }
      }),
    );
    // Each acknowledged commit went one further than the last one: two of the same offset would be a row twice.
    expect(acknowledged.toSorted((a, b) => a - b)).toEqual(acknowledged.map((_, at) => at + 1));
    expect((await takeOverPositions(path)).committed(0).offset).toBe(acknowledged.length);
    expect(fencings).toBeGreaterThan(0);
  });

  it('goes on after a crash within a record, at every byte', async () => {
    const path = fresh();
    const first = await takeOverPositions(path);
    await first.commit(new Map([[0, 10]]), 'tx-1');
    const before = readFileSync(path).length;
    await first.commit(new Map([[0, 20]]), 'tx-2');
    const whole = readFileSync(path);
    for (let length = before; length < whole.length; length += 7) {
      writeFileSync(path, whole.subarray(0, length));
      const next = await takeOverPositions(path);
      expect(next.committed(0)).toEqual({ offset: 10, transaction: 'tx-1' });
      await next.commit(new Map([[0, 11]]), 'tx-3');
      expect((await takeOverPositions(path)).committed(0)).toEqual({ offset: 11, transaction: 'tx-3' });
    }
  });

  it('a damaged file stays as it is', async () => {
    const path = fresh();
    const first = await takeOverPositions(path);
    await first.commit(new Map([[0, 10]]), 'tx-1');
    writeFileSync(path, readFileSync(path, 'utf8').replace('"transaction"', '"transactio'));
    const damaged = readFileSync(path);
    await expect(takeOverPositions(path)).rejects.toThrow(CorruptError);
    expect(readFileSync(path)).toEqual(damaged);
  });

  it('a commit finds out when its file was changed, cut or removed', async () => {
    const path = fresh();
    const removed = await takeOverPositions(path);
    rmSync(path);
    await expect(removed.commit(new Map([[0, 1]]), 'tx')).rejects.toThrow(StoreError);
    expect(existsSync(path)).toBe(false);
    const changed = await takeOverPositions(path);
    // What a crash of another process left does no harm; a whole line that is no record does.
    appendFileSync(path, '\n{"kind":"comm');
    await changed.commit(new Map([[0, 1]]), 'tx');
    appendFileSync(path, '\nx\t');
    await expect(changed.commit(new Map([[0, 2]]), 'tx')).rejects.toThrow(CorruptError);
    rmSync(path);
    const cut = await takeOverPositions(path);
    truncateSync(path, 10);
    await expect(cut.commit(new Map([[0, 1]]), 'tx')).rejects.toThrow(CorruptError);
  });

  it('a place that cannot be written to', async () => {
    writeFileSync(join(directory, 'file'), '');
    await expect(takeOverPositions(join(directory, 'file', 'positions'))).rejects.toThrow(
      /file.positions: cannot/,
    );
    await expect(takeOverPositions(directory)).rejects.toThrow(StoreError);
  });
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { z } from 'zod';
import {
  archiveConfig,
  createArchive,
  createDirectoryStore,
  encodeFile,
  query,
  type ArchiveOptions,
} from '../../src/archive/index.ts';
import { FencedError, RetryableError } from '../../src/errors.ts';
import type { FlushReport } from '../../src/types.ts';
import { rowOf, scoredOf } from './rows.ts';

const scratch = mkdtempSync(join(tmpdir(), 'sluice-archive-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

function setup(config: z.input<typeof archiveConfig> = {}, more: Partial<ArchiveOptions> = {}) {
  const root = mkdtempSync(join(scratch, 'out-'));
  const reports: FlushReport[] = [];
  const offsets: number[] = [];
  const archive = createArchive({
    config: archiveConfig.parse({ store: { type: 'directory', path: root }, ...config }),
    store: createDirectoryStore({ path: root }),
    encode: encodeFile,
    commit: (_token, positions) => {
      offsets.push(...positions.map(({ offset }) => offset));
      return Promise.resolve();
    },
    onFlush: (report) => reports.push(report),
    ...more,
  });
  const assign = (token: number, offset = 0) =>
    archive.recover({
      token,
      partitions: [{ topic: 'content', partition: 0, offset, transaction: '' }],
      transactions: new Set(),
    });
  const count = async () => Number((await query('SELECT count(*) FROM content', { root })).rows[0]![0]);
  return { archive, assign, count, reports, offsets };
}

const batch = (first: number, text = 'x'.repeat(1000), rows = 10) =>
  scoredOf({ rows: Array.from({ length: rows }, () => rowOf({ text })), first });

/** A gate that a test opens. */
function gate() {
  let open: () => void = () => undefined;
  const closed = new Promise<void>((resolve) => (open = resolve));
  return { closed, open: () => open() };
}

describe('the archive', () => {
  it('flushes by rows without being asked, and the rest at the end', async () => {
    const { archive, assign, count, reports, offsets } = setup({ rotate: { rows: 20 } });
    await assign(1);
    for (let first = 0; first < 50; first += 10) archive.add(batch(first), 1);
    await archive.flush('end');
    expect(await archive.flush('end')).toBeUndefined();
    expect(await count()).toBe(50);
    expect(offsets.at(-1)).toBe(50);
    expect(reports[0]).toMatchObject({ reason: 'rows', files: 1 });
    expect(reports.reduce((sum, { rows }) => sum + rows, 0)).toBe(50);
    // What came in while the first flush waited went out with it or after it, never in a file each.
    expect(reports.length).toBeLessThanOrEqual(2);
    await archive.close();
  });

  it('gives back-pressure over the memory budget while a flush is written, and none after', async () => {
    const { closed, open } = gate();
    const encode: typeof encodeFile = async (task) => {
      await closed;
      return encodeFile(task);
    };
    const { archive, assign, count, reports } = setup(
      { memory: '16KiB', rotate: { bytes: '8KiB' } },
      { encode },
    );
    await assign(1);
    archive.add(batch(0), 1);
    await archive.room();
    archive.add(batch(10), 1);
    const steps: string[] = [];
    const waiting = archive.room().then(() => steps.push('room'));
    await new Promise((resolve) => setImmediate(resolve));
    steps.push('opened');
    open();
    await waiting;
    expect(steps).toEqual(['opened', 'room']);
    await archive.flush('end');
    expect(await count()).toBe(20);
    expect(archive.bytes()).toBe(0);
    expect(reports[0]!.reason).toBe('bytes');
    await archive.close();
  });

  it('flushes by age when no batch comes any more', async () => {
    const { closed, open } = gate();
    const { archive, assign, count, reports } = setup(
      { rotate: { age: '1ms' } },
      {
        onFlush: (report) => {
          reports.push(report);
          open();
        },
      },
    );
    await assign(1);
    archive.add(batch(0), 1);
    await closed;
    expect(reports[0]!.reason).toBe('age');
    expect(await count()).toBe(10);
    await archive.close();
  });

  it('never commits behind a hole: a failed flush ends it', async () => {
    let fail = true;
    const failures: unknown[] = [];
    const encode: typeof encodeFile = (task) => {
      if (!fail) return encodeFile(task);
      fail = false;
      return Promise.reject(new Error('worker died'));
    };
    const { archive, assign, count, offsets } = setup(
      { rotate: { rows: 10 } },
      { encode, onFailure: (error) => failures.push(error) },
    );
    await assign(1);
    archive.add(batch(0), 1);
    archive.add(batch(10), 1);
    await expect(archive.flush('end')).rejects.toThrow('worker died');
    expect(failures).toHaveLength(1);
    expect(() => archive.add(batch(20), 1)).toThrow('worker died');
    await expect(archive.room()).rejects.toThrow('worker died');
    expect(offsets).toEqual([]);
    // The next assignment reads from the last commit.
    await assign(2);
    archive.add(batch(0), 2);
    await archive.flush('end');
    expect([await count(), offsets]).toEqual([10, [10]]);
    await archive.close();
  });

  it('drops what is of an assignment that is over', async () => {
    const { archive, assign, count, offsets } = setup();
    archive.add(batch(0), 1);
    await assign(1);
    archive.add(batch(0), 1);
    archive.drop(1);
    archive.add(batch(10), 1);
    expect(await archive.flush('end')).toBeUndefined();
    await assign(2, 0);
    archive.add(batch(500), 1);
    archive.add(batch(0), 2);
    archive.drop(1);
    await archive.flush('end');
    expect([await count(), offsets]).toEqual([10, [10]]);
    await archive.close();
  });

  it('shows nothing of a flush whose assignment ended before the commit', async () => {
    const fenced: unknown[] = [];
    const failures: unknown[] = [];
    let stale = true;
    const offsets: number[] = [];
    const { archive, assign, count } = setup(
      { rotate: { rows: 10 } },
      {
        commit: (_token, positions) => {
          if (stale) return Promise.reject(new FencedError('stale'));
          offsets.push(...positions.map(({ offset }) => offset));
          return Promise.resolve();
        },
        onFenced: (error) => fenced.push(error),
        onFailure: (error) => failures.push(error),
      },
    );
    await assign(1);
    archive.add(batch(0), 1);
    // Behind the one that rows alone made due: the lane is gone by then.
    expect(await archive.flush('revoke')).toBeUndefined();
    expect(await count()).toBe(0);
    // Not a failure: what is read meanwhile is dropped, and the next assignment works.
    expect([fenced, failures]).toEqual([[expect.any(FencedError)], []]);
    await archive.room();
    archive.add(batch(10), 1);
    stale = false;
    await assign(2);
    archive.add(batch(0), 2);
    await archive.flush('end');
    expect([await count(), offsets]).toEqual([10, [10]]);
    await archive.close();
  });

  it('waits for a store that cannot answer, and gives up when its assignment ends or nobody wants to wait', async () => {
    const store = createDirectoryStore({ path: mkdtempSync(join(scratch, 'down-')) });
    let tries = 0;
    let tried: () => void = () => undefined;
    const prepare = () => {
      if (++tries % 3 === 0) tried();
      return Promise.reject(new RetryableError('503 SlowDown'));
    };
    const twice = () => new Promise<void>((resolve) => (tried = resolve));
    const failures: unknown[] = [];
    const { archive, assign, offsets } = setup(
      { rotate: { rows: 10 } },
      { store: { ...store, prepare }, backoff: 1, onFailure: (error) => failures.push(error) },
    );
    await assign(1);
    archive.add(batch(0), 1);
    await twice();
    archive.drop(1);
    await assign(2);
    archive.add(batch(0), 2);
    const flushed = archive.flush('end').catch((error: unknown) => error);
    await twice();
    archive.abandon();
    expect(await flushed).toBeUndefined();
    expect([offsets, failures, archive.bytes()]).toEqual([[], [], 0]);
    await archive.close();
  });

  it('commits messages that were all skipped', async () => {
    const { archive, assign, offsets, reports } = setup();
    await assign(1);
    archive.add(scoredOf({ rows: [], first: 0 }, { next: 5, skipped: { tombstone: 5 } }), 1);
    await archive.flush('end');
    expect(offsets).toEqual([5]);
    expect(reports[0]).toMatchObject({ files: 0, rows: 0 });
    await archive.close();
  });
});

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { createBuffers } from '../../src/archive/buffers.ts';
import { createDirectoryStore } from '../../src/archive/directory-store.ts';
import { encodeFile } from '../../src/archive/encode.ts';
import { flushTransaction, transactionId, type TransactionPorts } from '../../src/archive/transaction.ts';
import { createPersist } from '../../src/archive/persist.ts';
import { recoverTransactions, type LostTransaction, type RecoveryPorts } from '../../src/archive/recovery.ts';
import { FencedError, RetryableError, StoreError } from '../../src/errors.ts';
import type { CommittedPosition, Store } from '../../src/ports.ts';
import type { Position } from '../../src/types.ts';
import { rowOf, scoredOf } from './rows.ts';

const scratch = mkdtempSync(join(tmpdir(), 'sluice-transaction-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** A directory store with a place to interfere, and ports that remember commits. */
function setup(interfere: Partial<Store> | ((store: Store) => Partial<Store>) = {}) {
  const root = mkdtempSync(join(scratch, 'out-'));
  const real = createDirectoryStore({ path: root });
  const store = { ...real, ...(typeof interfere === 'function' ? interfere(real) : interfere) };
  const commits: { token: number; positions: readonly Position[]; transaction: string }[] = [];
  const retries: [string, number][] = [];
  const lost: LostTransaction[] = [];
  const failedSweeps: unknown[] = [];
  const abort = new AbortController();
  const persist = createPersist({
    signal: abort.signal,
    onRetry: ({ operation, attempt }) => retries.push([operation, attempt]),
    backoff: 1,
  });
  const ports: RecoveryPorts = {
    store,
    pipeline: 'test',
    readable: () => Promise.resolve(true),
    deadLetterFiles: true,
    clock: () => 0,
    onLost: (each) => lost.push(each),
    onSweepFailed: (error) => failedSweeps.push(error),
    encode: encodeFile,
    commit: (token, positions, transaction) => {
      commits.push({ token, positions, transaction });
      return Promise.resolve();
    },
    format: { rowGroupRows: 1000, compression: 'zstd', version: '0' },
    now: () => Date.UTC(2026, 0, 3),
    crash: () => undefined,
  };
  const files = () =>
    readdirSync(root, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.parentPath.includes('_sluice'))
      .map(({ name }) => name);
  const flush = (changed: Partial<RecoveryPorts> = {}, customers?: string[]) =>
    flushTransaction(sealed(customers), 7, 'age', { ...ports, ...changed }, persist);
  const recover = (partitions: readonly CommittedPosition[], changed: Partial<RecoveryPorts> = {}) => {
    const transactions = new Set(partitions.map(({ transaction }) => transaction));
    return recoverTransactions({ token: 2, partitions, transactions }, { ...ports, ...changed }, persist);
  };
  return { root, real, commits, retries, lost, failedSweeps, abort, files, flush, recover };
}

function sealed(customers = ['a', 'b', 'c']) {
  const buffers = createBuffers({ partitionBy: ['customer', 'day'], fileBytes: 1e9 });
  buffers.add(scoredOf({ rows: customers.map((customer) => rowOf({ customer })) }), 0);
  return buffers.seal();
}

describe('a flush', () => {
  it('commits once, after all files are prepared and before any is visible', async () => {
    const seen: [string, number][] = [];
    const { flush, commits, files } = setup();
    const visible = () => files().filter((name) => !name.startsWith('.')).length;
    const crash: TransactionPorts['crash'] = (point) => seen.push([point, visible()]);
    const { transaction, rows } = await flush({ crash });
    expect(rows).toBe(3);
    expect(commits).toEqual([
      { token: 7, positions: [{ topic: 'content', partition: 0, offset: 3 }], transaction: transaction.id },
    ]);
    const points = seen.map(([point]) => point);
    expect(points.filter((point) => point === 'after-prepare')).toHaveLength(3);
    expect(points.lastIndexOf('after-prepare')).toBeLessThan(points.indexOf('before-manifest'));
    expect(points.indexOf('after-manifest')).toBeLessThan(points.indexOf('before-commit'));
    expect(points.indexOf('after-commit')).toBeLessThan(points.indexOf('before-publish'));
    expect(seen.filter(([point]) => point === 'after-commit')).toEqual([['after-commit', 0]]);
    expect(visible()).toBe(3);
  });

  it('leaves nothing when a file cannot be written', async () => {
    let count = 0;
    const { flush, commits, files } = setup((real) => ({
      prepare: (file, content) => {
        if (++count === 3) throw new StoreError('the disk is full');
        return real.prepare(file, content);
      },
    }));
    await expect(flush()).rejects.toThrow('the disk is full');
    expect(commits).toEqual([]);
    expect(files()).toEqual([]);
  });

  it('leaves nothing when the manifest cannot be written', async () => {
    const { flush, commits, files } = setup({ writeManifest: () => Promise.reject(new StoreError('no')) });
    await expect(flush()).rejects.toThrow('no');
    expect([commits, files()]).toEqual([[], []]);
  });

  it('leaves nothing when the assignment is not current', async () => {
    const { flush, files } = setup();
    const commit = () => Promise.reject(new FencedError('stale'));
    await expect(flush({ commit })).rejects.toThrow(FencedError);
    expect(files()).toEqual([]);
  });

  it('keeps the prepared files when nobody knows whether it was committed, and the next start decides', async () => {
    const { flush, recover, real, files } = setup();
    let id = '';
    const commit: TransactionPorts['commit'] = (_token, _positions, transaction) => {
      id = transaction;
      return Promise.reject(new Error('no answer'));
    };
    await expect(flush({ commit })).rejects.toThrow('no answer');
    expect(files()).toHaveLength(3);
    expect(files().every((name) => name.startsWith('.'))).toBe(true);
    const position = { topic: 'content', partition: 0, offset: 3, transaction: id };
    const recovered = await recover([position]);
    expect(recovered).toEqual({ partitions: 1, transactions: 1, files: 3, swept: 0 });
    expect(files().filter((name) => !name.startsWith('.'))).toHaveLength(3);
    await real.close();
  });

  it('sweeps what was never committed', async () => {
    const { flush, recover, files } = setup();
    const commit = () => Promise.reject(new Error('no answer'));
    await expect(flush({ commit })).rejects.toThrow('no answer');
    const recovered = await recover([]);
    // Three files and the manifest.
    expect([recovered.swept, files()]).toEqual([4, []]);
  });

  it('publishes again what failed for a while', async () => {
    let failures = 2;
    const { flush, retries, files } = setup((real) => ({
      publish: (file) => (failures-- > 0 ? Promise.reject(new RetryableError('503')) : real.publish(file)),
    }));
    await flush({}, ['a']);
    expect(retries).toEqual([
      ['publish', 1],
      ['publish', 2],
    ]);
    expect(files().filter((name) => !name.startsWith('.'))).toHaveLength(1);
  });

  it('publishes the others and is loud when one file cannot be published', async () => {
    const { flush, files } = setup((real) => ({
      publish: (file) =>
        file.customer === 'b' ? Promise.reject(new StoreError('denied')) : real.publish(file),
    }));
    await expect(flush()).rejects.toThrow('denied');
    expect(files().filter((name) => !name.startsWith('.'))).toHaveLength(2);
  });
});

describe('a recovery', () => {
  it('names a manifest that is missing, the positions, and the way out', async () => {
    const { recover } = setup();
    const partitions = [{ topic: 'content', partition: 4, offset: 9, transaction: 'tx_gone' }];
    await expect(recover(partitions)).rejects.toMatchObject({
      name: 'CorruptError',
      message: expect.stringMatching(/content-4 at 9 names transaction tx_gone.*restore it from a backup/),
    });
  });

  /** Commits a transaction of three files, of which one is published and another vanishes. */
  async function withLostFile() {
    const set = setup();
    const { flush, real } = set;
    let id = '';
    const commit: TransactionPorts['commit'] = (_token, _positions, transaction) => {
      id = transaction;
      return Promise.reject(new Error('no answer'));
    };
    await expect(flush({ commit })).rejects.toThrow('no answer');
    const { files } = (await real.readManifest(id))!.transaction;
    await real.publish(files[0]!);
    await real.discard([files[1]!]);
    return { ...set, id, position: { topic: 'content', partition: 0, offset: 3, transaction: id } };
  }

  it('undoes a transaction of which a file has vanished, and moves its positions back', async () => {
    const { recover, lost, commits, files, id, position } = await withLostFile();
    const other = { topic: 'content', partition: 1, offset: 9, transaction: '' };
    const recovered = await recover([position, other]);
    expect(recovered).toMatchObject({ transactions: 0, files: 0 });
    expect(lost).toEqual([
      {
        transaction: id,
        detail: expect.stringContaining('.parquet'),
        ranges: ['content-0: 0 to 3'],
        rewound: true,
      },
    ]);
    expect(commits).toEqual([
      { token: 2, positions: [{ topic: 'content', partition: 0, offset: 0 }], transaction: '' },
    ]);
    expect(files().filter((name) => !name.startsWith('.'))).toEqual([]);
  });

  it('keeps what is left, and says that it is lost, when the messages have expired', async () => {
    const { recover, real, lost, commits, files, id, position } = await withLostFile();
    const recovered = await recover([position], { readable: () => Promise.resolve(false) });
    expect(recovered).toMatchObject({ transactions: 1 });
    expect([lost[0]!.rewound, commits]).toEqual([false, []]);
    expect(files()).toHaveLength(2);
    // Once is enough: the next start goes on, and `verify` finds the hole in the finished manifest.
    expect(await real.readManifest(id)).toMatchObject({ finished: true });
    await recover([position], { onLost: () => expect.unreachable() });
  });

  it('does not end over a sweep that the store could not do now', async () => {
    const { recover, failedSweeps } = setup({ sweep: () => Promise.reject(new RetryableError('503')) });
    await recover([]);
    expect(failedSweeps).toHaveLength(1);
  });

  it('does not commit a transaction that took so long that its files may have been swept', async () => {
    const { flush, commits, files } = setup();
    let hours = 0;
    const clock = () => (hours += 13) * 3_600_000;
    await expect(flush({ clock })).rejects.toThrow('longer than 12 hours');
    expect([commits, files()]).toEqual([[], []]);
  });

  it('stops asking a store once nobody needs the answer', async () => {
    const { flush, abort, commits, retries } = setup({
      prepare: () => Promise.reject(new RetryableError('503')),
    });
    const flushed = flush();
    flushed.catch(() => undefined);
    await vi.waitFor(() => expect(retries).not.toEqual([]));
    abort.abort();
    await expect(flushed).rejects.toThrow('503');
    expect(commits).toEqual([]);
  });
});

it('transaction ids sort by time and are names of files', () => {
  const ids = [1e12, 1.5e12, 2e12].map(transactionId);
  expect(ids.toSorted()).toEqual(ids);
  for (const id of ids) expect(id).toMatch(/^[0-9TZ]+_[0-9a-f]{12}$/);
  expect(transactionId(1)).not.toBe(transactionId(1));
});

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createBuffers } from '../../src/archive/buffers.ts';
import { createDirectoryStore } from '../../src/archive/directory-store.ts';
import { encodeFile } from '../../src/archive/encode.ts';
import {
  flushTransaction,
  recoverTransactions,
  transactionId,
  type TransactionPorts,
} from '../../src/archive/transaction.ts';
import { FencedError, RetryableError, StoreError } from '../../src/errors.ts';
import type { Position, Store } from '../../src/types.ts';
import { rowOf, scoredOf } from './rows.ts';

const scratch = mkdtempSync(join(tmpdir(), 'sluice-transaction-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** A directory store with a place to interfere, and ports that remember commits. */
function setup(interfere: Partial<Store> | ((store: Store) => Partial<Store>) = {}) {
  const root = mkdtempSync(join(scratch, 'out-'));
  const real = createDirectoryStore({ path: root });
  const store = { ...real, ...(typeof interfere === 'function' ? interfere(real) : interfere) };
  const commits: { token: number; positions: readonly Position[]; transaction: string }[] = [];
  const retries: number[] = [];
  const ports: TransactionPorts = {
    store,
    encode: encodeFile,
    commit: (token, positions, transaction) => {
      commits.push({ token, positions, transaction });
      return Promise.resolve();
    },
    format: { rowGroupRows: 1000, compression: 'zstd', version: '0' },
    now: () => Date.UTC(2026, 0, 3),
    crash: () => undefined,
    onPublishRetry: ({ attempt }) => retries.push(attempt),
    backoff: 1,
  };
  const files = () =>
    readdirSync(root, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.parentPath.includes('_sluice'))
      .map(({ name }) => name);
  return { root, real, ports, commits, retries, files };
}

function sealed(customers = ['a', 'b', 'c']) {
  const buffers = createBuffers({ partitionBy: ['customer', 'day'], fileBytes: 1e9 });
  buffers.add(scoredOf({ rows: customers.map((customer) => rowOf({ customer })) }), 0);
  return buffers.seal();
}

describe('a flush', () => {
  it('commits once, after all files are prepared and before any is visible', async () => {
    const seen: [string, number][] = [];
    const { ports, commits, files } = setup();
    const visible = () => files().filter((name) => !name.startsWith('.')).length;
    const crash: TransactionPorts['crash'] = (point) => seen.push([point, visible()]);
    const { transaction, rows } = await flushTransaction(sealed(), 7, 'age', { ...ports, crash });
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
    const { ports, commits, files } = setup((real) => ({
      prepare: (file, content) => {
        if (++count === 3) throw new StoreError('the disk is full');
        return real.prepare(file, content);
      },
    }));
    await expect(flushTransaction(sealed(), 1, 'age', ports)).rejects.toThrow('the disk is full');
    expect(commits).toEqual([]);
    expect(files()).toEqual([]);
  });

  it('leaves nothing when the manifest cannot be written', async () => {
    const { ports, commits, files } = setup({ writeManifest: () => Promise.reject(new StoreError('no')) });
    await expect(flushTransaction(sealed(), 1, 'age', ports)).rejects.toThrow('no');
    expect([commits, files()]).toEqual([[], []]);
  });

  it('leaves nothing when the assignment is not current', async () => {
    const { ports, files } = setup();
    const commit = () => Promise.reject(new FencedError('stale'));
    await expect(flushTransaction(sealed(), 1, 'age', { ...ports, commit })).rejects.toThrow(FencedError);
    expect(files()).toEqual([]);
  });

  it('keeps the prepared files when nobody knows whether it was committed, and the next start decides', async () => {
    const { ports, real, files } = setup();
    let id = '';
    const commit: TransactionPorts['commit'] = (_token, _positions, transaction) => {
      id = transaction;
      return Promise.reject(new Error('no answer'));
    };
    await expect(flushTransaction(sealed(), 1, 'age', { ...ports, commit })).rejects.toThrow('no answer');
    expect(files()).toHaveLength(3);
    expect(files().every((name) => name.startsWith('.'))).toBe(true);
    const position = { topic: 'content', partition: 0, offset: 3, transaction: id };
    const recovered = await recoverTransactions({ token: 2, partitions: [position] }, ports);
    expect(recovered).toEqual({ partitions: 1, transactions: 1, files: 3, swept: 0 });
    expect(files().filter((name) => !name.startsWith('.'))).toHaveLength(3);
    await real.close();
  });

  it('sweeps what was never committed', async () => {
    const { ports, files } = setup();
    const commit = () => Promise.reject(new Error('no answer'));
    await expect(flushTransaction(sealed(), 1, 'age', { ...ports, commit })).rejects.toThrow('no answer');
    const recovered = await recoverTransactions({ token: 2, partitions: [] }, ports);
    // Three files and the manifest.
    expect([recovered.swept, files()]).toEqual([4, []]);
  });

  it('publishes again what failed for a while', async () => {
    let failures = 2;
    const { ports, retries, files } = setup((real) => ({
      publish: (file) => (failures-- > 0 ? Promise.reject(new RetryableError('503')) : real.publish(file)),
    }));
    await flushTransaction(sealed(['a']), 1, 'age', ports);
    expect(retries).toEqual([1, 2]);
    expect(files().filter((name) => !name.startsWith('.'))).toHaveLength(1);
  });

  it('publishes the others and is loud when one file cannot be published', async () => {
    const { ports, retries, files } = setup((real) => ({
      publish: (file) =>
        file.customer === 'b' ? Promise.reject(new RetryableError('503')) : real.publish(file),
    }));
    await expect(flushTransaction(sealed(), 1, 'age', ports)).rejects.toThrow('503');
    expect(retries).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(files().filter((name) => !name.startsWith('.'))).toHaveLength(2);
  });
});

describe('a recovery', () => {
  it('names a manifest that is missing, the positions, and the way out', async () => {
    const { ports } = setup();
    const partitions = [{ topic: 'content', partition: 4, offset: 9, transaction: 'tx_gone' }];
    await expect(recoverTransactions({ token: 1, partitions }, ports)).rejects.toMatchObject({
      name: 'CorruptError',
      message: expect.stringMatching(/content-4 at 9 names transaction tx_gone.*restore it from a backup/),
    });
  });
});

it('transaction ids sort by time and are names of files', () => {
  const ids = [1e12, 1.5e12, 2e12].map(transactionId);
  expect(ids.toSorted()).toEqual(ids);
  for (const id of ids) expect(id).toMatch(/^[0-9TZ]+_[0-9a-f]{12}$/);
  expect(transactionId(1)).not.toBe(transactionId(1));
});

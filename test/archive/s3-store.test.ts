import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { checksum } from '../../src/archive/encode.ts';
import { createS3Store } from '../../src/archive/s3-store.ts';
import { isAbandoned } from '../../src/archive/s3-sweep.ts';
import { RetryableError } from '../../src/errors.ts';
import type { PreparedFile, Transaction } from '../../src/types.ts';
import { storeContract } from '../contract/store.ts';
import { makeBucket, type TestBucket } from '../services/s3-bucket.ts';

/** Everything is old enough to be swept, whatever fractions of seconds the server's clock shows. */
const AT_ONCE = -60_000;
const MiB = 1024 ** 2;

for (const prefix of ['', 'lake of/ünïcode=1/']) {
  storeContract(`the S3 store below "${prefix}"`, async () => {
    const bucket = await makeBucket();
    const open = () => createS3Store({ settle: 0, config: bucket.config({ prefix }), sweepAge: AT_ONCE });
    return {
      store: open(),
      again: open,
      visible: async () =>
        (await bucket.keys())
          .map((key) => key.slice(prefix.length))
          .filter((key) => !key.startsWith('_sluice/')),
      read: (key) => bucket.read(prefix + key),
      lose: async (file) => {
        const key = prefix + file.key;
        for (const each of await bucket.uploads())
          if (each.key === key) await bucket.abort(each.key, each.upload);
        if ((await bucket.keys()).includes(key)) await bucket.remove(key);
      },
      damage: async (id) => {
        const key = `${prefix}_sluice/pending/${id}.json`;
        const text = new TextDecoder().decode(await bucket.read(key));
        await bucket.put(key, text.replace('"reason":"age"', '"reason":"end"'));
      },
      close: () => bucket.close(),
    };
  });
}

const fileOf = (key: string, content: Uint8Array): Omit<PreparedFile, 'handle'> => ({
  key,
  bytes: content.length,
  rows: 1,
  crc32: checksum(content),
  kind: 'content',
});
const transactionOf = (id: string, files: readonly PreparedFile[], pipeline = 'a'): Transaction => ({
  version: 1,
  id,
  pipeline,
  createdAt: '2026-01-01T00:00:00.000Z',
  reason: 'age',
  files,
  partitions: [],
});
const one = new Uint8Array([1, 2, 3]);

describe('the S3 store', () => {
  let bucket: TestBucket;
  beforeEach(async () => {
    bucket = await makeBucket();
  });
  afterEach(() => bucket.close());
  const open = (
    options: { prefix?: string; owner?: string; sweepAge?: number; part_bytes?: string } = {},
  ) => {
    const { owner, sweepAge = AT_ONCE, ...config } = options;
    return createS3Store({ settle: 0, config: bucket.config(config), sweepAge, ...(owner ? { owner } : {}) });
  };

  it('uploads a large file in parts, which come together in their order', async () => {
    const store = open({ part_bytes: '5MiB' });
    const content = new Uint8Array(randomBytes(12 * MiB));
    const prepared = await store.prepare(fileOf('dt=2026-01-01/tx1-0.parquet', content), content);
    expect(prepared.handle['parts']).toMatchObject([
      { bytes: 5 * MiB },
      { bytes: 5 * MiB },
      { bytes: 2 * MiB },
    ]);
    await store.publish(prepared);
    expect(checksum(await bucket.read(prepared.key))).toBe(prepared.crc32);
    expect(checksum((await store.read(prepared.key))!)).toBe(prepared.crc32);
  });

  it('leaves nothing behind when it checks itself', async () => {
    await open({ prefix: 'lake/' }).check();
    expect(await bucket.keys()).toEqual([]);
    expect(await bucket.uploads()).toEqual([]);
  });

  it('needs four requests for a file, and five for a flush', async () => {
    const store = open();
    const prepared = await store.prepare(fileOf('dt=2026-01-01/tx1-0.parquet', one), one);
    await store.publish(prepared);
    expect(store.requests()).toEqual({
      CreateMultipartUpload: 1,
      UploadPart: 1,
      CompleteMultipartUpload: 1,
      HeadObject: 1,
    });
    await store.writeManifest(transactionOf('tx1', [prepared]));
    await store.finish(transactionOf('tx1', [prepared]));
    expect(store.requests()).toMatchObject({ PutObject: 2, GetObject: 1, HeadObject: 1, DeleteObject: 1 });
  });

  it('sweeps below its prefix only', async () => {
    const [mine, theirs] = [open({ prefix: 'lake/' }), open({ prefix: 'lake/inner/' })];
    const name = 'dt=2026-01-01/tx1-0.parquet';
    const prepared = [
      await mine.prepare(fileOf(name, one), one),
      await theirs.prepare(fileOf(name, one), one),
    ];
    await theirs.writeManifest(transactionOf('tx1', [prepared[1]!]));
    const beside = await open({ prefix: 'lakeside/' }).prepare(fileOf(name, one), one);
    expect(await theirs.sweep(new Set(['tx1']))).toBe(0);
    expect(await open({ prefix: 'lake/inn/' }).sweep(new Set())).toBe(0);
    await open({ prefix: 'lakeside/' }).publish(beside);
    await theirs.publish(prepared[1]!);
    expect(await mine.sweep(new Set())).toBe(1);
    expect(await bucket.uploads()).toEqual([]);
  });

  it('sweeps nothing that may still be committed', async () => {
    const store = open({ sweepAge: 3_600_000 });
    const prepared = await store.prepare(fileOf('dt=2026-01-01/tx1-0.parquet', one), one);
    await store.writeManifest(transactionOf('tx2', []));
    expect(await store.sweep(new Set())).toBe(0);
    await store.publish(prepared);
    expect(await store.transactions()).toEqual([{ id: 'tx2', finished: false }]);
  });

  it('goes by the clock of the server when its own one jumps', async () => {
    const store = open({ sweepAge: 24 * 3_600_000 });
    const prepared = await store.prepare(fileOf('dt=2026-01-01/tx1-0.parquet', one), one);
    await store.writeManifest(transactionOf('tx2', []));
    for (const days of [3, -3]) {
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + days * 86_400_000 });
      try {
        expect(await store.sweep(new Set())).toBe(0);
        await store.check();
      } finally {
        vi.useRealTimers();
      }
    }
    // Back at the right time, the first request may still be signed for the wrong one.
    const first = await store.publish(prepared).catch((error: unknown) => error);
    if (first !== undefined) expect(first).toBeInstanceOf(RetryableError);
    await store.publish(prepared);
  });

  it('says that the server denies something', async () => {
    const store = open();
    const prepared = await store.prepare(fileOf('dt=2026-01-01/tx1-0.parquet', one), one);
    await store.publish(prepared);
    await bucket.lock(prepared.key);
    await expect(store.discard([prepared])).rejects.toMatchObject({
      name: 'StoreError',
      message: expect.stringMatching(
        /tx1-0\.parquet: DeleteObject failed: AccessDenied \(403, request \w+\): .+; allow s3:DeleteObject on arn:aws:s3:::test-[-0-9a-f]+\/\* for these credentials$/,
      ),
    });
    await bucket.unlock(prepared.key);
  });

  it('leaves alone what other pipelines and other programs left below its prefix', async () => {
    const [mine, theirs] = [open({ owner: 'a' }), open({ owner: 'b' })];
    const prepared = await theirs.prepare(fileOf('dt=2026-01-01/tx1-0.parquet', one), one);
    await theirs.writeManifest(transactionOf('tx1', [prepared], 'b'));
    const foreign = await mine.prepare(fileOf('part-00000-c0ffee.snappy.parquet', one), one);
    // Damaged: nobody knows whose it is.
    const damaged = await theirs.prepare(fileOf('dt=2026-01-01/tx2-0.parquet', one), one);
    await bucket.put('_sluice/pending/tx2.json', 'damaged');
    expect(await mine.sweep(new Set())).toBe(0);
    for (const each of [prepared, foreign, damaged]) await theirs.publish(each);
    expect(await theirs.sweep(new Set())).toBe(1);
    expect(await mine.transactions()).toEqual([{ id: 'tx2', finished: false }]);
  });

  it('publishes nothing by the manifest of another kind of store', async () => {
    const store = open();
    const file = { ...fileOf('dt=2026-01-01/tx1-0.parquet', one), handle: { owner: 'sluice' } };
    await expect(store.publish(file)).rejects.toMatchObject({
      name: 'CorruptError',
      message: expect.stringContaining(`s3://${bucket.name}/${file.key}: expected the upload of a file`),
    });
  });

  it('lists more objects than one answer holds', async () => {
    const store = open({ prefix: 'lake/' });
    const names = Array.from({ length: 1_005 }, (_, i) => `dt=2026-01-01/${String(i).padStart(4, '0')}`);
    for (let i = 0; i < names.length; i += 100)
      await Promise.all(names.slice(i, i + 100).map((name) => bucket.put(`lake/${name}`, 'x')));
    const listed: string[] = [];
    for await (const { key } of store.files()) listed.push(key);
    expect(listed).toEqual(names);
    expect(store.requests()).toEqual({ ListObjectsV2: 2 });
  });
});

describe('what may be swept', () => {
  const rule = { now: 1_000, age: 100, keep: new Set(['kept']) };
  it.each([
    ['tx1', 900, true],
    ['tx1', 901, false],
    ['tx1', 2_000, false],
    ['tx1', NaN, false],
    ['kept', 0, false],
    [undefined, 0, false],
  ])('%s since %d: %s', (transaction, since, expected) => {
    expect(isAbandoned(transaction, since, rule)).toBe(expected);
  });
});

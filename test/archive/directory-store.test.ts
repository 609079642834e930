import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, sep } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createDirectoryStore } from '../../src/archive/directory-store.ts';
import { storeContract } from '../contract/store.ts';

const scratch = mkdtempSync(join(tmpdir(), 'sluice-store-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
let count = 0;
const fresh = () => join(scratch, String(count++));

/** What `**` globs and pyarrow see: no name that begins with a dot or an underscore. */
function visibleFiles(root: string): string[] {
  if (!existsSync(root)) return [];
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter((path) => !path.split('/').some((part) => part.startsWith('.') || part === '_sluice'));
}

storeContract('the directory store', () => {
  const root = fresh();
  const store = createDirectoryStore({ path: root });
  return Promise.resolve({
    store,
    again: () => createDirectoryStore({ path: root }),
    visible: () => Promise.resolve(visibleFiles(root)),
    read: (key) => Promise.resolve(new Uint8Array(readFileSync(join(root, key)))),
    lose: ({ key }) => {
      const name = key.split('/').at(-1)!;
      for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
        if (entry.name.includes(name)) rmSync(join(entry.parentPath, entry.name));
      }
      return Promise.resolve();
    },
    damage: (id) => {
      const path = join(root, '_sluice', 'pending', `.${id}.json.sluice.tmp`);
      const text = readFileSync(path, 'utf8');
      writeFileSync(path, text.replace('"reason":"age"', '"reason":"end"'));
      return Promise.resolve();
    },
    close: () => Promise.resolve(),
  });
});

const one = {
  key: 'dt=2026-01-01/tx1-0.parquet',
  bytes: 3,
  rows: 1,
  crc32: '00000000',
  kind: 'content',
} as const;
const bytes = new Uint8Array([1, 2, 3]);

describe('the directory store', () => {
  it('keeps unfinished files of another owner', async () => {
    const path = fresh();
    const mine = createDirectoryStore({ path, owner: 'a' });
    const theirs = createDirectoryStore({ path, owner: 'b' });
    const prepared = await mine.prepare(one, bytes);
    expect(await theirs.sweep(new Set())).toBe(0);
    await mine.publish(prepared);
    expect(visibleFiles(path)).toEqual([one.key]);
  });

  it('publishes what another owner prepared', async () => {
    const path = fresh();
    const prepared = await createDirectoryStore({ path, owner: 'a' }).prepare(one, bytes);
    await createDirectoryStore({ path, owner: 'b' }).publish(prepared);
    expect(visibleFiles(path)).toEqual([one.key]);
  });

  it('removes directories that it made for nothing', async () => {
    const path = fresh();
    const store = createDirectoryStore({ path });
    const prepared = await store.prepare({ ...one, key: 'customer=a/dt=2026-01-01/tx1-0.parquet' }, bytes);
    await store.discard([prepared]);
    expect(readdirSync(path)).toEqual([]);
  });

  it('says in one line what is wrong with its directory', async () => {
    const path = fresh();
    writeFileSync(path, 'a file');
    const store = createDirectoryStore({ path: join(path, 'below') });
    await expect(store.check()).rejects.toMatchObject({
      name: 'MisconfiguredError',
      message: `archive.store.path: expected a writable directory, ${join(path, 'below')}: a part of the path is not a directory (ENOTDIR)`,
    });
    await expect(store.prepare(one, bytes)).rejects.toMatchObject({
      name: 'StoreError',
      message: expect.stringMatching(
        /^cannot write a file of the archive: .*tx1-0.*: a part of the path is not a directory \(ENOTDIR\)$/,
      ),
    });
  });

  // Root may write anywhere, so there the permission would not be denied.
  it.skipIf(process.getuid?.() === 0)('says so when permission is denied', async () => {
    const path = fresh();
    mkdirSync(path);
    chmodSync(path, 0o500);
    await expect(createDirectoryStore({ path }).check()).rejects.toThrow('permission denied (EACCES)');
  });

  it('touches nothing when the place of its hidden file is taken', async () => {
    const path = fresh();
    const store = createDirectoryStore({ path });
    mkdirSync(join(path, 'dt=2026-01-01', '.tx1-0.parquet.sluice.tmp'), { recursive: true });
    await expect(store.prepare(one, bytes)).rejects.toMatchObject({ name: 'StoreError' });
    expect(visibleFiles(path)).toEqual([]);
    expect(statSync(join(path, 'dt=2026-01-01')).isDirectory()).toBe(true);
  });
});

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checksum } from '../../src/archive/encode.ts';
import { LostFileError } from '../../src/errors.ts';
import type { Store } from '../../src/ports.ts';
import type { PreparedFile, Transaction } from '../../src/types.ts';

/** One store under test, over storage that starts empty. Its sweep goes by no age: everything is old enough. */
export interface StoreUnderTest {
  readonly store: Store;
  /** Another process on the same storage. */
  again(): Store;
  /** Keys of all files that readers of the archive would see. */
  visible(): Promise<string[]>;
  /** Content of a visible file. */
  read(key: string): Promise<Uint8Array>;
  /** Removes a visible or a prepared file behind the store's back. */
  lose(file: PreparedFile): Promise<void>;
  /** Damages a manifest. */
  damage(id: string): Promise<void>;
  close(): Promise<void>;
}

const file = (key: string, content: Uint8Array): Omit<PreparedFile, 'handle'> => ({
  key,
  bytes: content.length,
  rows: 1,
  crc32: checksum(content),
  kind: 'content',
  customer: 'acme',
  minCreatedAt: 1,
  maxCreatedAt: 2,
});

const transaction = (id: string, files: readonly PreparedFile[]): Transaction => ({
  version: 1,
  id,
  pipeline: 'sluice',
  createdAt: '2026-01-01T00:00:00.000Z',
  reason: 'age',
  files,
  partitions: [{ topic: 't', partition: 0, from: 0, to: 1, rows: 1, deadLetters: 0, skipped: 0, absent: 0 }],
});

/** What every Store must do. Call it at the top of a store's test file. */
export function storeContract(name: string, open: () => Promise<StoreUnderTest>): void {
  describe(`${name} keeps the contract of a Store`, () => {
    let under: StoreUnderTest;
    beforeEach(async () => {
      under = await open();
    });
    afterEach(async () => {
      await under.store.close();
      await under.close();
    });
    const content = new TextEncoder().encode('PAR1 some bytes');
    const key = 'customer=acme/dt=2026-01-01/tx1-0.parquet';

    it('passes its own check and leaves nothing visible', async () => {
      await under.store.check();
      expect(await under.visible()).toEqual([]);
    });

    it('shows a file only once it is published, with its content', async () => {
      const prepared = await under.store.prepare(file(key, content), content);
      expect(prepared).toMatchObject(file(key, content));
      expect(await under.visible()).toEqual([]);
      await under.store.publish(prepared);
      expect(await under.visible()).toEqual([key]);
      expect(await under.read(key)).toEqual(content);
    });

    it('takes a file of no bytes', async () => {
      const none = new Uint8Array(0);
      await under.store.publish(await under.store.prepare(file(key, none), none));
      expect(await under.read(key)).toEqual(none);
    });

    it('publishes again without harm, also in another process and by way of the manifest', async () => {
      const prepared = await under.store.prepare(file(key, content), content);
      await under.store.writeManifest(transaction('tx1', [prepared]));
      const read = await under.again().readManifest('tx1');
      expect(read).toEqual({ transaction: transaction('tx1', [prepared]), finished: false, undone: false });
      for (const store of [under.store, under.again(), under.store])
        await store.publish(read!.transaction.files[0]!);
      expect(await under.visible()).toEqual([key]);
    });

    it('keeps the manifest of a finished transaction, and knows that it is finished', async () => {
      await under.store.writeManifest(transaction('tx1', []));
      expect(await under.store.finish(transaction('tx1', []))).toBe(true);
      expect(await under.again().finish(transaction('tx1', []))).toBe(true);
      await under.again().sweep(new Set());
      expect(await under.again().readManifest('tx1')).toEqual({
        transaction: transaction('tx1', []),
        finished: true,
        undone: false,
      });
    });

    it('undoes a transaction: nothing of it is visible, whoever goes on publishing it', async () => {
      const other = 'customer=acme/dt=2026-01-01/tx1-1.parquet';
      const files = [
        await under.store.prepare(file(key, content), content),
        await under.store.prepare(file(other, content), content),
      ];
      const undone = transaction('tx1', files);
      await under.store.writeManifest(undone);
      await under.store.publish(files[0]!);
      expect(await under.store.undo(undone)).toBe(true);
      expect(await under.again().undo(undone)).toBe(true);
      expect(await under.visible()).toEqual([]);
      for (const each of files) await expect(under.again().publish(each)).rejects.toThrow(LostFileError);
      expect(await under.again().readManifest('tx1')).toEqual({
        transaction: undone,
        finished: false,
        undone: true,
      });
    });

    it('decides once between finished and undone, whoever comes first', async () => {
      const files = [await under.store.prepare(file(key, content), content)];
      await under.store.writeManifest(transaction('tx1', files));
      await under.store.writeManifest(transaction('tx2', []));
      await under.store.publish(files[0]!);
      expect(await under.store.finish(transaction('tx1', files))).toBe(true);
      expect(await under.again().undo(transaction('tx1', files))).toBe(false);
      expect(await under.visible()).toEqual([key]);
      expect(await under.store.undo(transaction('tx2', []))).toBe(true);
      expect(await under.again().finish(transaction('tx2', []))).toBe(false);
      const both = await Promise.all([
        under.store.finish(transaction('tx3', [])),
        under.again().undo(transaction('tx3', [])),
      ]);
      expect(both.toSorted()).toEqual([false, true]);
    });

    it('sweeps manifests that no commit names', async () => {
      await under.store.writeManifest(transaction('tx1', []));
      await under.store.writeManifest(transaction('tx2', []));
      expect(await under.again().sweep(new Set(['tx2']))).toBe(1);
      expect(await under.store.readManifest('tx1')).toBeUndefined();
      expect(await under.store.readManifest('tx2')).toBeDefined();
    });

    it('says so when a file to publish is nowhere, or is not what was prepared', async () => {
      const prepared = await under.store.prepare(file(key, content), content);
      await under.lose(prepared);
      await expect(under.store.publish(prepared)).rejects.toThrow(LostFileError);
      const other = await under.store.prepare(file(key, content), content);
      await expect(under.store.publish({ ...other, bytes: other.bytes + 1 })).rejects.toThrow(LostFileError);
      await under.store.publish(other);
      await expect(under.store.publish({ ...other, bytes: other.bytes + 1 })).rejects.toThrow(LostFileError);
      await under.lose(other);
      await expect(under.store.publish(other)).rejects.toThrow(LostFileError);
    });

    it('never writes a manifest over another one', async () => {
      await under.store.writeManifest(transaction('tx1', []));
      const prepared = await under.store.prepare(file(key, content), content);
      await expect(under.store.writeManifest(transaction('tx1', [prepared]))).rejects.toThrow('tx1');
      expect((await under.store.readManifest('tx1'))?.transaction).toEqual(transaction('tx1', []));
    });

    it('takes the same call again, as after an answer that was lost', async () => {
      const prepared = await under.store.prepare(file(key, content), content);
      await under.store.writeManifest(transaction('tx1', [prepared]));
      for (const again of [1, 2]) {
        await under.store.publish(prepared);
        await under.store.finish(transaction('tx1', [prepared]));
        expect([again, await under.store.transactions()]).toEqual([again, [{ id: 'tx1', finished: true }]]);
      }
      expect(await under.visible()).toEqual([key]);
    });

    it('lists transactions by id, whether they are finished or not', async () => {
      expect(await under.store.transactions()).toEqual([]);
      for (const id of ['tx3', 'tx1', 'tx2']) await under.store.writeManifest(transaction(id, []));
      await under.store.finish(transaction('tx2', []));
      expect(await under.again().transactions()).toEqual([
        { id: 'tx1', finished: false },
        { id: 'tx2', finished: true },
        { id: 'tx3', finished: false },
      ]);
    });

    it('lists and reads what readers see, and nothing of its own', async () => {
      const list = async (folder?: string) => {
        const listed: Record<string, number> = {};
        for await (const each of under.again().files(folder)) listed[each.key] = each.bytes;
        return listed;
      };
      expect(await list()).toEqual({});
      const letters = '_dead_letters/dt=2026-01-01/tx1.jsonl';
      const prepared = [
        await under.store.prepare(file(key, content), content),
        await under.store.prepare({ ...file(letters, content), kind: 'dead_letters' }, content),
      ];
      await under.store.writeManifest(transaction('tx1', prepared));
      expect(await list()).toEqual({});
      expect(await under.store.read(key)).toBeUndefined();
      for (const each of prepared) await under.store.publish(each);
      expect(await list()).toEqual({ [key]: content.length, [letters]: content.length });
      expect(await under.again().read(key)).toEqual(content);
      await under.store.finish(transaction('tx1', prepared));
      expect(Object.keys(await list())).toHaveLength(2);
      expect(await list('_dead_letters')).toEqual({ [letters]: content.length });
      expect(Object.keys(await list('_sluice'))).toContain('_sluice/manifests/tx1.json');
      expect(await list('_sluice/none')).toEqual({});
      await expect(under.store.read('../x')).rejects.toMatchObject({ name: 'StoreError' });
    });

    it('knows a manifest that is missing from one that is damaged', async () => {
      expect(await under.store.readManifest('tx9')).toBeUndefined();
      await under.store.writeManifest(transaction('tx1', []));
      await under.damage('tx1');
      await expect(under.store.readManifest('tx1')).rejects.toMatchObject({ name: 'CorruptError' });
    });

    it('discards prepared files so that they are nowhere', async () => {
      const prepared = await under.store.prepare(file(key, content), content);
      await under.store.discard([prepared]);
      await under.store.discard([prepared]);
      await expect(under.store.publish(prepared)).rejects.toThrow(LostFileError);
      expect(await under.visible()).toEqual([]);
      expect(await under.store.sweep(new Set())).toBe(0);
    });

    it('discards published files, those that are not there included', async () => {
      const prepared = await under.store.prepare(file(key, content), content);
      const other = await under.store.prepare(file('dt=2026-01-01/tx2-0.parquet', content), content);
      await under.store.publish(prepared);
      await under.store.publish(other);
      await under.again().discard([prepared]);
      await under.again().discard([prepared]);
      expect(await under.visible()).toEqual([other.key]);
      await expect(under.store.publish(prepared)).rejects.toThrow(LostFileError);
      expect(await under.store.read(key)).toBeUndefined();
    });

    it('sweeps what no committed transaction names, and nothing else', async () => {
      const published = await under.store.prepare(file('dt=2026-01-01/tx1-0.parquet', content), content);
      await under.store.publish(published);
      const kept = await under.store.prepare(file('dt=2026-01-01/tx2-0.parquet', content), content);
      const left = [
        await under.store.prepare(file('dt=2026-01-01/tx3-0.parquet', content), content),
        await under.store.prepare(file('_dead_letters/dt=2026-01-01/tx3.jsonl', content), content),
      ];
      const successor = under.again();
      expect(await successor.sweep(new Set(['tx2']))).toBe(2);
      expect(await successor.sweep(new Set(['tx2']))).toBe(0);
      for (const each of left) await expect(successor.publish(each)).rejects.toThrow(LostFileError);
      await successor.publish(kept);
      expect((await under.visible()).toSorted()).toEqual([published.key, kept.key]);
    });

    it('refuses keys that leave its root', async () => {
      for (const bad of ['../x', 'a/../../x', '/x', 'a//x', './x', 'a/.', '..', '', 'a\\..\\x', 'a\0b']) {
        const refused = await under.store.prepare(file(bad, content), content).then(
          () => false,
          () => true,
        );
        expect([bad, refused]).toEqual([bad, true]);
      }
    });

    it('works on many files at a time', async () => {
      const keys = Array.from({ length: 60 }, (_, i) => `customer=c${i % 7}/dt=2026-01-01/tx1-${i}.parquet`);
      const prepared = await Promise.all(
        keys.map((each) => under.store.prepare(file(each, content), content)),
      );
      expect(await under.visible()).toEqual([]);
      await Promise.all(prepared.map((each) => under.store.publish(each)));
      expect((await under.visible()).toSorted()).toEqual(keys.toSorted());
    });
  });
}

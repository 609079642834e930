import { randomUUID } from 'node:crypto';
import { link, readFile, rename, rm, rmdir } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { LostFileError, MisconfiguredError, StoreError } from '../errors.ts';
import type { Store } from '../ports.ts';
import type { PreparedFile, Transaction } from '../types.ts';
import { limiter } from '../concurrency.ts';
import { makeDirectory, syncDirectory, writeDurable } from './durable.ts';
import { ageOf, describe, isCode, sizeOf, textOf, entriesBelow, namesIn } from './file-system.ts';
import { safeKey, safeTransactionId } from './keys.ts';
import { decodeManifest, encodeManifest } from './manifest.ts';

/** Directory of Sluice's own files below the root; the underscore hides it from pyarrow and Athena. */
const OWN = '_sluice';
/** File operations at a time: disks gain nothing from more. */
const PARALLEL = 8;

/** A store in a local directory. */
export interface DirectoryStoreOptions {
  /** Root of the archive; made when missing. */
  readonly path: string;
  /**
   * Whose unfinished files `sweep` may remove. Two processes that write to one directory at the same time must differ in
   * it, and it must stay the same over restarts: the name of the pipeline.
   */
  readonly owner?: string;
  /** Milliseconds: `sweep` leaves younger files alone, since other processes of the owner may be at work (default 0: none is). */
  readonly sweepAge?: number;
}

/**
 * The local file system as a Store: `prepare` writes a hidden file beside its later place and syncs it, `publish` renames
 * it. Every step is durable before it resolves. Failures of the file system are StoreErrors naming the path.
 */
export function createDirectoryStore({ path, owner = 'sluice', sweepAge = 0 }: DirectoryStoreOptions): Store {
  const root = resolve(path);
  const manifests = join(root, OWN, 'manifests');
  const pending = join(root, OWN, 'pending');
  const suffixOf = (whose: string) => `.${encodeURIComponent(whose)}.tmp`;
  const suffix = suffixOf(owner);
  const bounded = limiter(PARALLEL);

  const placeOf = (key: string) => join(root, safeKey(key, root));

  function hiddenOf(place: string, whose = owner): string {
    return join(dirname(place), `.${basename(place)}${suffixOf(whose)}`);
  }

  /** Where the manifest of a finished transaction is; `pendingOf` has it until then. */
  function manifestOf(id: string): string {
    return join(manifests, `${safeTransactionId(id)}.json`);
  }

  function pendingOf(id: string): string {
    return join(pending, `.${basename(manifestOf(id))}${suffix}`);
  }

  async function remove(file: PreparedFile): Promise<void> {
    const place = placeOf(file.key);
    const hidden = hiddenFor(file, place);
    await rm(hidden, { force: true });
    await rm(place, { force: true });
    // Directories made for nothing; one that holds something stays.
    for (let at = dirname(hidden); at !== root && at.startsWith(root); at = dirname(at)) {
      if (
        !(await rmdir(at).then(
          () => true,
          () => false,
        ))
      )
        return;
    }
  }

  /** Writes what was decided where only one can be; whether it was decided so, now or before. */
  async function settle(transaction: Transaction, undone: boolean): Promise<boolean> {
    const { id } = transaction;
    const place = manifestOf(id);
    const own = `${pendingOf(id)}-${randomUUID()}`;
    try {
      await makeDirectory(manifests);
      await makeDirectory(pending);
      await writeDurable(own, encodeManifest(transaction, undone));
      // A link, unlike a rename, fails where there is something.
      await link(own, place).catch((error: unknown) => {
        if (!isCode(error, 'EEXIST')) throw error;
      });
      await rm(own);
      await syncDirectory(manifests);
      await rm(pendingOf(id), { force: true });
    } catch (error) {
      throw new StoreError(`cannot write a manifest: ${describe(error, place)}`, { cause: error });
    }
    return decodeManifest((await textOf(place)) ?? '', id, place).undone === undone;
  }

  return {
    description: root,
    async check() {
      const probe = join(manifests, `.check-${randomUUID()}`);
      try {
        await makeDirectory(manifests);
        await writeDurable(probe, 'sluice');
        await rename(probe, `${probe}-renamed`);
        await rm(`${probe}-renamed`);
      } catch (error) {
        throw new MisconfiguredError(
          `archive.store.path: expected a writable directory, ${describe(error, root)}`,
        );
      }
    },

    prepare: (file, content) =>
      bounded(async () => {
        const place = placeOf(file.key);
        const hidden = hiddenOf(place);
        try {
          await makeDirectory(dirname(place));
          await writeDurable(hidden, content);
          await syncDirectory(dirname(place));
        } catch (error) {
          if (!isCode(error, 'EEXIST')) await rm(hidden, { force: true }).catch(() => undefined);
          throw new StoreError(`cannot write a file of the archive: ${describe(error, hidden)}`, {
            cause: error,
          });
        }
        return { ...file, handle: { owner } };
      }),

    async writeManifest(transaction) {
      const place = pendingOf(transaction.id);
      try {
        await makeDirectory(pending);
        // A crash may leave half of it: nothing refers to it before it is whole and synced.
        await writeDurable(place, encodeManifest(transaction));
        await syncDirectory(pending);
      } catch (error) {
        if (!isCode(error, 'EEXIST')) await rm(place, { force: true }).catch(() => undefined);
        throw new StoreError(`cannot write a manifest: ${describe(error, place)}`, { cause: error });
      }
    },

    async readManifest(id) {
      // It may move after the first look: then the third finds it.
      for (const place of [manifestOf(id), pendingOf(id), manifestOf(id)]) {
        const text = await textOf(place);
        if (text === undefined) continue;
        const { transaction, undone } = decodeManifest(text, id, place);
        return { transaction, finished: place === manifestOf(id) && !undone, undone };
      }
      return undefined;
    },

    finish: (transaction) => settle(transaction, false),

    async undo(transaction) {
      if (!(await settle(transaction, true))) return false;
      await Promise.all(transaction.files.map((file) => bounded(() => remove(file))));
      return true;
    },

    publish: (file) =>
      bounded(async () => {
        const place = placeOf(file.key);
        const hidden = hiddenFor(file, place);
        try {
          const prepared = await sizeOf(hidden);
          if (prepared === undefined) {
            const published = await sizeOf(place);
            if (published === file.bytes) return await syncDirectory(dirname(place));
            throw new LostFileError(
              `${place}: expected ${file.bytes} bytes of a committed transaction, got ${published === undefined ? 'no file' : `${published} bytes`}, and nothing prepared`,
            );
          }
          if (prepared !== file.bytes) {
            throw new LostFileError(
              `${hidden}: expected ${file.bytes} bytes of a committed transaction, got ${prepared}`,
            );
          }
          await rename(hidden, place);
          await syncDirectory(dirname(place));
        } catch (error) {
          if (error instanceof LostFileError) throw error;
          throw new StoreError(`cannot publish a file: ${describe(error, place)}`, { cause: error });
        }
      }),

    async discard(files) {
      await Promise.all(files.map((file) => bounded(() => remove(file))));
    },

    async sweep(keep) {
      let removed = 0;
      for (const entry of await entriesBelow(root)) {
        const { name, parentPath } = entry;
        if (!entry.isFile() || !name.startsWith('.') || !name.endsWith(suffix)) continue;
        const transaction = /^\.([A-Za-z0-9_]+)/.exec(name)?.[1];
        if (transaction !== undefined && keep.has(transaction)) continue;
        const place = join(parentPath, name);
        if (sweepAge > 0 && (await ageOf(place)) < sweepAge) continue;
        await rm(place, { force: true });
        removed++;
      }
      return removed;
    },

    async transactions() {
      // Pending ones first: one that is finished in between is seen twice then, not never.
      const open = (await namesIn(pending)).flatMap((name) =>
        name.endsWith(`.json${suffix}`) ? name.slice(1, -`.json${suffix}`.length) : [],
      );
      const finished = (await namesIn(manifests)).flatMap((name) => /^([\w-]+)\.json$/.exec(name)?.[1] ?? []);
      const states = new Map(open.map((id) => [id, false]));
      for (const id of finished) states.set(id, true);
      return [...states]
        .map(([id, isFinished]) => ({ id, finished: isFinished }))
        .toSorted((a, b) => (a.id < b.id ? -1 : 1));
    },

    async *files(folder) {
      for (const entry of await entriesBelow(folder === undefined ? root : placeOf(folder))) {
        const key = relative(root, join(entry.parentPath, entry.name)).replaceAll(sep, '/');
        if (!entry.isFile() || entry.name.startsWith('.')) continue;
        if (folder === undefined && key.startsWith(`${OWN}/`)) continue;
        const bytes = await sizeOf(join(root, key));
        if (bytes !== undefined) yield { key, bytes };
      }
    },

    async read(key) {
      const place = placeOf(key);
      try {
        return new Uint8Array(await readFile(place));
      } catch (error) {
        if (isCode(error, 'ENOENT')) return undefined;
        throw new StoreError(`cannot read a file of the archive: ${describe(error, place)}`, {
          cause: error,
        });
      }
    },

    close: () => Promise.resolve(),
  };

  /** Another owner's manifest names another hidden file; a process that takes over publishes that one. */
  function hiddenFor(file: PreparedFile, place: string): string {
    const { owner: other } = file.handle;
    return hiddenOf(place, typeof other === 'string' ? other : owner);
  }
}

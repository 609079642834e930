import type { Store } from '../ports.ts';
import type { PreparedFile } from '../types.ts';
import type { Ask } from './ask.ts';
import { filesOf } from './listing.ts';
import type { OnViolation } from './violation.ts';

/** A transaction whose visible files are not those that they should be. */
export interface Suspect {
  /** What a file is that is not expected. */
  readonly kind: 'file_orphan' | 'file_uncommitted';
  readonly expected: readonly PreparedFile[];
  /** Whether files may still be published; then a missing one is no violation. */
  readonly unfinished: boolean;
}

/** What {@link checkSuspects} works with. */
export interface CheckSuspectsOptions {
  readonly store: Store;
  /** Whether missing files and sizes are to be found here, because nobody reads the files. */
  readonly quick: boolean;
  readonly onViolation: OnViolation;
  /** Called for each file that may still be published. */
  readonly onUnpublished: () => void;
  readonly ask: Ask;
}

/** Lists the archive once more, to name the files that make the sums of some transactions wrong. */
export async function checkSuspects(
  suspects: ReadonlyMap<string, Suspect>,
  { store, quick, onViolation, onUnpublished, ask }: CheckSuspectsOptions,
): Promise<void> {
  const found = await filesOf(store, new Set(suspects.keys()));
  for (const [id, { kind, expected, unfinished }] of suspects) {
    const files = found.get(id) ?? new Map<string, number>();
    const keys = new Set(expected.map(({ key }) => key));
    const transaction = id === '' ? {} : { transaction: id };
    for (const [key, bytes] of files) {
      if (keys.has(key)) continue;
      const reason = kind === 'file_orphan' ? 'no manifest names it' : 'its transaction was not committed';
      onViolation({ kind, ...transaction, file: key, detail: `${bytes} bytes, but ${reason}` });
    }
    if (!quick) continue;
    for (const { key, bytes } of expected) {
      // A store may list what is new a moment later.
      const size = files.get(key) ?? (await ask(() => store.read(key)))?.length;
      const detail = `expected ${bytes} bytes, got ${size ?? 'no file'}`;
      if (size === undefined && unfinished) onUnpublished();
      else if (size === undefined) onViolation({ kind: 'file_missing', ...transaction, file: key, detail });
      else if (size !== bytes) onViolation({ kind: 'file_size', ...transaction, file: key, detail });
    }
  }
}

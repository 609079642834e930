import { DEAD_LETTERS, readDeadLetters } from '../archive/index.ts';
import type { Store } from '../ports.ts';
import { filesBelow } from './files-below.ts';
import type { Letters } from './letter.ts';
import { persistently } from './patience.ts';

/** Dead letters as files of the archive, day by day of their receipt, in the order of their transactions. */
export function createArchiveLetters(store: Store): Letters {
  return {
    description: `${store.description.replace(/\/$/, '')}/${DEAD_LETTERS}`,
    async read({ received, each, onProgress, signal }) {
      const all = await filesBelow(store, DEAD_LETTERS);
      const files = all.filter(({ key }) => mayHold(key, received));
      const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
      let done = 0;
      for (const { key, bytes } of files) {
        const content = await persistently(() => store.read(key));
        // Without content: somebody removed it meanwhile, as they may.
        for (const letter of readDeadLetters(content ?? new Uint8Array(), `${store.description} ${key}`)) {
          if (signal.aborted) return;
          await each(letter);
        }
        onProgress((done += bytes), total);
      }
    },
  };
}

/** Whether a file of that name may hold letters that were received in that time. */
function mayHold(key: string, { since, until }: { readonly since: number; readonly until: number }): boolean {
  const day = /\/dt=(\d{4}-\d\d-\d\d)\/[^/]+\.jsonl$/.exec(key)?.[1];
  if (day === undefined) return false;
  const start = Date.parse(day);
  return start < until && start + 86_400_000 > since;
}

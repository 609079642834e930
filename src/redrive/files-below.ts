import type { Store } from '../ports.ts';
import { persistently } from './patience.ts';

/** Visible files below a folder of an archive, by key. Throws RetryableError when the store stays away. */
export function filesBelow(
  store: Store,
  folder: string,
): Promise<{ readonly key: string; readonly bytes: number }[]> {
  return persistently(async () => {
    const found: { readonly key: string; readonly bytes: number }[] = [];
    for await (const file of store.files(folder)) found.push(file);
    return found.toSorted((a, b) => (a.key < b.key ? -1 : 1));
  });
}

import type { Levels } from './chunk.ts';

/** Levels of a column that every row has a value in. */
export function required(rows: Int32Array): Levels {
  return { entries: rows.length, nulls: 0 };
}

/**
 * Splits rows into those that have a value, and levels that say which: `present` where one is, `present - 1` where none is.
 * Without nulls the rows themselves come back.
 */
export function optional(
  rows: Int32Array,
  isNull: (row: number) => boolean,
  present = 1,
): { levels: Levels; filled: Int32Array } {
  let nulls = 0;
  for (let i = 0; i < rows.length; i++) if (isNull(rows[i]!)) nulls++;
  if (nulls === 0) return { levels: required(rows), filled: rows };
  const definition = new Uint8Array(rows.length);
  const filled = new Int32Array(rows.length - nulls);
  let at = 0;
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!;
    definition[i] = present;
    if (isNull(row)) definition[i]!--;
    else filled[at++] = row;
  }
  return { levels: { entries: rows.length, nulls, definition }, filled };
}

/** Lists of some rows, as entries: an item each, and one for each list that is null or empty. */
export interface ListEntries {
  readonly levels: Levels;
  /** Items that have a value. */
  readonly filled: Int32Array;
}

/**
 * Entries of a part of lists: row i has the items `starts[i] .. starts[i + 1]`, and is null where `counts[i]` is -1. Definition
 * levels are 0: null, 1: empty, 2: an item; with `isNull` (of an item) 2 is one without a value, 3 one with.
 */
export function listEntries(
  { counts, starts }: { readonly counts: Int32Array; readonly starts: Int32Array },
  rows: Int32Array,
  isNull?: (item: number) => boolean,
): ListEntries {
  let entries = 0;
  for (let i = 0; i < rows.length; i++) entries += Math.max(1, counts[rows[i]!]!);
  const definition = new Uint8Array(entries);
  const repetition = new Uint8Array(entries);
  const first = new Int32Array(rows.length + 1);
  const filled = new Int32Array(entries);
  let values = 0;
  let at = 0;
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!;
    const count = counts[row]!;
    first[i] = at;
    if (count <= 0) definition[at++] = count + 1;
    for (let nth = 0; nth < count; nth++) {
      const item = starts[row]! + nth;
      if (nth > 0) repetition[at] = 1;
      definition[at] = 2;
      if (isNull === undefined) filled[values++] = item;
      else if (!isNull(item)) {
        definition[at] = 3;
        filled[values++] = item;
      }
      at++;
    }
  }
  first[rows.length] = at;
  return {
    levels: { entries, nulls: entries - values, definition, repetition, starts: first },
    filled: filled.subarray(0, values),
  };
}

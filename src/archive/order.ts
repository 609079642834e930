/**
 * Stable order of `count` rows by `before` (true when row a must stand before row b), or undefined when they stand in
 * order already. Merges the runs that are there: rows come as a few sorted runs, one per source partition, so this takes
 * rows × log2(runs) steps.
 */
export function sortedOrder(
  count: number,
  before: (a: number, b: number) => boolean,
): Int32Array | undefined {
  let ends: number[] = [];
  for (let row = 1; row < count; row++) if (before(row, row - 1)) ends.push(row);
  if (ends.length === 0) return undefined;
  ends.push(count);
  let order = new Int32Array(count);
  for (let row = 0; row < count; row++) order[row] = row;
  let spare = new Int32Array(count);
  while (ends.length > 1) {
    const merged: number[] = [];
    let start = 0;
    for (let i = 0; i < ends.length; i += 2) {
      const middle = ends[i]!;
      const end = ends[i + 1] ?? middle;
      mergeRuns(order, spare, start, middle, end, before);
      merged.push(end);
      start = end;
    }
    [order, spare] = [spare, order];
    ends = merged;
  }
  return order;
}

function mergeRuns(
  from: Int32Array,
  to: Int32Array,
  start: number,
  middle: number,
  end: number,
  before: (a: number, b: number) => boolean,
): void {
  let left = start;
  let right = middle;
  for (let at = start; at < end; at++) {
    // Of equals the left one first: that makes it stable.
    const takeRight = left >= middle || (right < end && before(from[right]!, from[left]!));
    to[at] = from[takeRight ? right++ : left++]!;
  }
}

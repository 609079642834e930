/**
 * What one run of the model costs beside its tokens, in tokens: calling into the runtime and making tensors. Two runs
 * are better than one when they save more padding than this.
 */
const RUN_COST = 16;

/** Texts that go through the model in one run. */
export interface Batch {
  /** Indices of the texts, shortest text first. */
  readonly rows: Int32Array;
  /** Tokens of the longest text: what every row is padded to. */
  readonly longest: number;
}

/**
 * Groups texts into runs. Texts are sorted by length within each window of `window` texts, and each sorted window is
 * cut where padded tokens plus the cost of the runs are least. Every text with at least one token is in exactly one
 * batch; `longest × rows` is at most `budget`, except that a text longer than the budget is alone. Texts without
 * tokens are in none.
 */
export function planBatches(
  lengths: ArrayLike<number>,
  options: { readonly budget: number; readonly window: number },
): Batch[] {
  const batches: Batch[] = [];
  for (let first = 0; first < lengths.length; first += options.window) {
    const order = sortedByLength(lengths, first, Math.min(first + options.window, lengths.length));
    for (const [start, end] of cheapestCuts(lengths, order, options.budget)) {
      batches.push({ rows: order.slice(start, end), longest: lengths[order[end - 1]!]! });
    }
  }
  return batches;
}

function sortedByLength(lengths: ArrayLike<number>, first: number, end: number): Int32Array {
  const span = end - first;
  const keys = new Float64Array(span);
  let count = 0;
  for (let row = first; row < end; row++)
    if (lengths[row]! > 0) keys[count++] = lengths[row]! * span + (row - first);
  const sorted = keys.subarray(0, count).sort();
  return Int32Array.from(sorted, (key) => first + (key % span));
}

/** Dynamic programme over the sorted texts: `least[j]` is the least cost of the first j of them. */
function cheapestCuts(
  lengths: ArrayLike<number>,
  order: Int32Array,
  budget: number,
): [start: number, end: number][] {
  const least = new Float64Array(order.length + 1);
  const startOf = new Int32Array(order.length + 1);
  for (let end = 1; end <= order.length; end++) {
    const longest = lengths[order[end - 1]!]!;
    const most = Math.max(1, Math.floor(budget / longest));
    let best = Infinity;
    for (let start = Math.max(0, end - most); start < end; start++) {
      const cost = least[start]! + (end - start) * longest + RUN_COST;
      if (cost < best) {
        best = cost;
        startOf[end] = start;
      }
    }
    least[end] = best;
  }
  const cuts: [number, number][] = [];
  for (let end = order.length; end > 0; end = startOf[end]!) cuts.push([startOf[end]!, end]);
  return cuts.reverse();
}

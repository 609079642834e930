/** A figure and how far it may be off: where 95 % of resamples lie. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** How much to resample. */
export interface BootstrapOptions {
  /** Number of resamples; 0: no intervals. */
  readonly resamples: number;
  /** The same seed gives the same intervals. */
  readonly seed: number;
}

/** Uniform numbers 0 ≤ x < 1 from a seed, the same everywhere (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

/**
 * Resamples `rows` rows with replacement: `visit` gets how often each counts, in one array that is used again. Callers
 * with the same rows and options see the same resamples, so that two models can be compared on each. Pure but for `visit`.
 */
export function resample(
  rows: number,
  { resamples, seed }: BootstrapOptions,
  visit: (weights: Uint32Array) => void,
): void {
  const random = seededRandom(seed);
  const weights = new Uint32Array(rows);
  for (let i = 0; i < resamples; i++) {
    weights.fill(0);
    for (let drawn = 0; drawn < rows; drawn++) weights[Math.floor(random() * rows)]!++;
    visit(weights);
  }
}

/** The figure with the middle 95 % of its resampled values; those that are NaN say nothing. Pure. */
export function estimate(value: number, resampled: readonly number[]): Estimate {
  const sorted = Float64Array.from(resampled.filter((each) => !Number.isNaN(each))).sort();
  return { value, low: quantile(sorted, 0.025), high: quantile(sorted, 0.975) };
}

/** A quantile of sorted values, between neighbours by distance; NaN of none. */
export function quantile(sorted: Float64Array, share: number): number {
  if (sorted.length === 0) return NaN;
  const at = share * (sorted.length - 1);
  const below = sorted[Math.floor(at)]!;
  const above = sorted[Math.ceil(at)]!;
  return below + (above - below) * (at - Math.floor(at));
}

/** What flagging found: counts of rows. */
export interface Detection {
  /** Flagged, and the label holds. */
  readonly hits: number;
  /** Flagged, and it does not. */
  readonly alarms: number;
  /** Not flagged, though it holds. */
  readonly misses: number;
}

/** Share of the flagged rows of which the label holds; NaN when none is flagged. */
export function precisionOf({ hits, alarms }: Detection): number {
  return hits / (hits + alarms);
}

/** Share of the rows of which the label holds that are flagged; NaN when there are none. */
export function recallOf({ hits, misses }: Detection): number {
  return hits / (hits + misses);
}

/** Harmonic mean of precision and recall; NaN when nothing holds and nothing is flagged. */
export function f1Of({ hits, alarms, misses }: Detection): number {
  return (2 * hits) / (2 * hits + alarms + misses);
}

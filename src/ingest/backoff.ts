/** Waiting times in milliseconds that grow with each failure in a row. */
export interface Backoff {
  next(): number;
  /** After a success. */
  reset(): void;
}

/** Doubles from `first` to `longest`, each varied by a fifth so that many processes do not try again together. */
export function createBackoff(first: number, longest: number): Backoff {
  let wait = first;
  return {
    next() {
      const current = wait * (0.8 + 0.4 * Math.random());
      wait = Math.min(wait * 2, longest);
      return current;
    },
    reset() {
      wait = first;
    },
  };
}

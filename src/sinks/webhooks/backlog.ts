/** How many decisions may wait at each endpoint. */
export interface Backlog {
  /** How many more may be added to an endpoint's queue now. */
  room(endpoint: string): Promise<number>;
  added(endpoint: string, count: number): void;
}

/** How long a count is believed, milliseconds. */
const COUNT_MILLIS = 1_000;

/**
 * An endpoint that takes nothing for days must not fill Redis, and with it stop the pipeline. Counts are read once a second, so that
 * several processes together may go over the limit by what they add in that time.
 */
export function createBacklog(options: {
  readonly limit: number;
  /** Reads how many wait. */
  readonly count: (endpoint: string) => Promise<number>;
}): Backlog {
  const { limit, count } = options;
  const known = new Map<string, { readonly at: number; waiting: number }>();
  return {
    async room(endpoint) {
      let entry = known.get(endpoint);
      if (!entry || entry.at + COUNT_MILLIS < performance.now()) {
        entry = { at: performance.now(), waiting: await count(endpoint) };
        known.set(endpoint, entry);
      }
      return Math.max(0, limit - entry.waiting);
    },
    added(endpoint, more) {
      const entry = known.get(endpoint);
      if (entry) entry.waiting += more;
    },
  };
}

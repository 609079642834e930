/** Milliseconds. */
export interface PatienceOptions {
  readonly patience: number;
  readonly limit: number;
}

/** How long a call may still wait for its server. */
export interface Patience {
  /** Aborts when nothing was answered for too long, or the limit is over. */
  readonly signal: AbortSignal;
  /** The server answered: the time without an answer begins anew. */
  answered(): void;
  /** Whether the limit is over. */
  isSpent(): boolean;
  /** Nobody waits any more. */
  end(): void;
}

/**
 * Begins to wait: until nothing was answered for `patience` milliseconds, or `limit` milliseconds (Infinity: any time) are over.
 */
export function createPatience({ patience, limit }: PatienceOptions): Patience {
  const controller = new AbortController();
  let spent = false;
  const quiet = setTimeout(() => controller.abort(new Error('no answer')), patience);
  const timer = Number.isFinite(limit)
    ? setTimeout(() => {
        spent = true;
        controller.abort(new Error('too slow'));
      }, limit)
    : undefined;
  return {
    signal: controller.signal,
    answered: () => void quiet.refresh(),
    isSpent: () => spent,
    end() {
      clearTimeout(quiet);
      clearTimeout(timer);
    },
  };
}

/** Brings results back into the order in which their work was submitted, for each lane (a partition) by itself. */
export interface InOrder<T> {
  /**
   * Adds work to a lane. Resolves when its value is released, which is after everything that was submitted to the lane
   * before. Rejects with the first error of the lane: a failure holds back everything behind it, for good.
   */
  submit(lane: string, work: Promise<T>): Promise<void>;
  /** Resolves when everything submitted so far is released; rejects with the first failure, once all have settled. */
  drain(): Promise<void>;
  /** Submitted and neither released nor failed. */
  pending(): number;
}

/**
 * Makes the queue. `release` gets each value once, in the lane's order, and is awaited before the lane goes on; lanes do
 * not wait for each other. An error of `release` counts as the work's.
 */
export function createInOrder<T>(release: (value: T) => void | Promise<void>): InOrder<T> {
  const lanes = new Map<string, Promise<void>>();
  let pending = 0;
  let failure: { readonly error: unknown } | null = null;

  async function next(before: Promise<void> | undefined, work: Promise<T>): Promise<void> {
    try {
      await before;
      await release(await work);
    } catch (error) {
      failure ??= { error };
      throw error;
    } finally {
      pending--;
    }
  }

  return {
    submit(lane, work) {
      pending++;
      // Its error is reported in its turn, or is behind another one; until then nobody awaits it.
      work.catch(() => undefined);
      const tail = next(lanes.get(lane), work);
      lanes.set(lane, tail);
      // A lane that failed stays, so that nothing more gets through.
      const forget = () => lanes.get(lane) === tail && lanes.delete(lane);
      tail.then(forget, () => undefined);
      return tail;
    },
    async drain() {
      await Promise.allSettled(lanes.values());
      if (failure) throw failure.error;
    },
    pending: () => pending,
  };
}

/** Bounds the bytes that are on their way through the workers. */
export interface Pacer {
  /** Resolves when `bytes` have room: at once, or in the order of the calls as others leave. */
  enter(bytes: number): Promise<void>;
  /** Gives back what entered. */
  leave(bytes: number): void;
  /** Bytes that are in now. */
  inFlight(): number;
  /** Callers that wait in `enter`. */
  waiting(): number;
}

/** Makes a pacer for at most `limit` bytes; a single item above the limit may enter when nothing else is in. */
export function createPacer(limit: number): Pacer {
  const queue: { readonly bytes: number; readonly admit: () => void }[] = [];
  let inside = 0;
  let items = 0;
  const fits = (bytes: number) => items === 0 || inside + bytes <= limit;
  const take = (bytes: number) => {
    inside += bytes;
    items++;
  };

  return {
    enter(bytes) {
      // Never past someone who waits: a large item would starve.
      if (queue.length === 0 && fits(bytes)) {
        take(bytes);
        return Promise.resolve();
      }
      return new Promise((admit) => queue.push({ bytes, admit }));
    },
    leave(bytes) {
      inside -= bytes;
      items--;
      if (items < 0 || inside < 0) throw new Error(`expected to leave what entered, got ${bytes} bytes more`);
      while (queue.length > 0 && fits(queue[0]!.bytes)) {
        const next = queue.shift()!;
        take(next.bytes);
        next.admit();
      }
    },
    inFlight: () => inside,
    waiting: () => queue.length,
  };
}

import type { Decision } from '../decision.ts';
import { headerOf } from '../raw-batch.ts';
import type { RawBatch } from '../types.ts';

/** Decisions as they come by, and the requests that wait for one. */
export interface DecisionWaits {
  /** Takes a batch of the decisions topic. What is no decision is passed over. */
  arrived(batch: RawBatch): void;
  /** The decision with that id, or undefined when it does not come within `limit` milliseconds or before `signal`. */
  wait(id: string, limit: number, signal: AbortSignal): Promise<Decision | undefined>;
}

/**
 * Decisions that came before anybody waited for them are kept, so many and so many bytes of them: brokers may tell the
 * decision before they answer the request that wrote its message.
 */
const KEPT = 4096;
const KEPT_BYTES = 8 * 1024 ** 2;

/** Matches decisions with those who wait for them. One decision may have several that wait. */
export function createDecisionWaits(): DecisionWaits {
  const waiting = new Map<string, Set<(decision: Decision) => void>>();
  // In order of arrival; bytes, since most are never asked for.
  const kept = new Map<string, Uint8Array>();
  let bytes = 0;

  function keep(id: string, value: Uint8Array): void {
    forget(id);
    kept.set(id, value);
    bytes += value.length;
    for (const oldest of kept.keys()) {
      if (kept.size <= KEPT && bytes <= KEPT_BYTES) break;
      forget(oldest);
    }
  }

  function forget(id: string): void {
    bytes -= kept.get(id)?.length ?? 0;
    kept.delete(id);
  }

  return {
    arrived(batch) {
      for (let row = 0; row < batch.rows; row++) {
        const header = headerOf(batch, row, 'id');
        if (header === undefined || batch.nulls?.[row]) continue;
        const id = Buffer.from(header).toString();
        const value = batch.bytes.slice(batch.starts[row], batch.ends[row]);
        const waiters = waiting.get(id);
        const decision = waiters && parse(value);
        if (decision) for (const resolve of waiters) resolve(decision);
        keep(id, value);
      }
    },

    wait(id, limit, signal) {
      const early = kept.get(id);
      const decision = early && parse(early);
      if (decision || limit <= 0 || signal.aborted) return Promise.resolve(decision);
      return new Promise((resolve) => {
        const waiters = waiting.get(id) ?? new Set();
        const end = (found?: Decision) => {
          clearTimeout(timer);
          signal.removeEventListener('abort', give);
          waiters.delete(end);
          if (waiters.size === 0) waiting.delete(id);
          resolve(found);
        };
        const give = () => end();
        const timer = setTimeout(give, limit);
        signal.addEventListener('abort', give, { once: true });
        waiters.add(end);
        waiting.set(id, waiters);
      });
    },
  };
}

/** Undefined for what is not JSON: others may write to the topic, too. */
function parse(value: Uint8Array): Decision | undefined {
  try {
    return JSON.parse(Buffer.from(value).toString()) as Decision;
  } catch {
    return undefined;
  }
}

import { deadLetterOf } from '../dead-letter.ts';
import pRetry from 'p-retry';
import { messageOf, UnavailableError, WorkerDiedError } from '../errors.ts';
import { free } from '../memory.ts';
import { sliceBatch } from '../raw-batch.ts';
import type { RawBatch, ScoredBatch } from '../types.ts';
import { batchBuffers, splitBatch } from './split-batch.ts';

/** What the retry reports: rows of the batch under trial, which attempt at them it was (from 1), how the worker died. */
export type OnWorkerDied = (fields: { rows: number; attempt: number; error: string }) => void;

/** What the retry is told, and what it reports. */
export interface RetryOptions {
  readonly onWorkerDied?: OnWorkerDied;
  /** A server that scores does not answer; its batch waits. */
  readonly onUnavailable?: (fields: { rows: number; error: string }) => void;
  /** Ends the waiting for servers: the batch rejects with its reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Waits between attempts at a batch whose server does not answer: the first, and the longest; milliseconds. */
const FIRST_WAIT = 250;
const LONGEST_WAIT = 5_000;

/**
 * Classifies a batch, even if messages in it kill the worker: a batch whose worker died is run once more, then halved
 * until each deadly message is alone; that one becomes a dead letter. Results come in the order of the messages and
 * together settle the whole batch, which is empty afterwards. `run` is given a copy each time, to be moved away with the
 * buffers named. A batch whose server does not answer (UnavailableError) waits here, outside of the workers and their time limit, and
 * runs again from the start, until it is scored or `signal` aborts: being away makes no dead letter. Every other error (HungError, a
 * bug) rejects at once.
 */
export async function classifyWithRetry(
  run: (batch: RawBatch, buffers: ArrayBuffer[]) => Promise<ScoredBatch>,
  batch: RawBatch,
  options: RetryOptions = {},
): Promise<ScoredBatch[]> {
  const attempt = async (part: RawBatch, tries: number): Promise<ScoredBatch[]> => {
    let detail = '';
    for (let i = 1; i <= tries; i++) {
      try {
        return [await whenAvailable(part)];
      } catch (error) {
        if (!(error instanceof WorkerDiedError)) throw error;
        detail = messageOf(error);
        options.onWorkerDied?.({ rows: part.rows, attempt: i, error: detail });
      }
    }
    if (part.rows > 1) {
      const [left, right] = splitBatch(part);
      return [...(await attempt(left, 1)), ...(await attempt(right, 1))];
    }
    return [deadLettered(part, detail)];
  };
  const whenAvailable = (part: RawBatch): Promise<ScoredBatch> =>
    pRetry(
      () => {
        const copy = sliceBatch(part, 0, part.rows);
        return run(copy, batchBuffers(copy));
      },
      {
        retries: Infinity,
        minTimeout: FIRST_WAIT,
        maxTimeout: LONGEST_WAIT,
        ...(options.signal ? { signal: options.signal } : {}),
        shouldRetry({ error }) {
          if (!(error instanceof UnavailableError)) return false;
          options.onUnavailable?.({ rows: part.rows, error: error.message });
          return true;
        },
      },
    );
  if (batch.rows === 0) return [nothing(batch)];
  const scored = await attempt(batch, 2);
  free(batch.bytes);
  return scored;
}

function deadLettered(batch: RawBatch, detail: string): ScoredBatch {
  return {
    ...nothing(batch),
    deadLetters: [
      deadLetterOf(batch, 0, {
        stage: 'classify',
        code: 'worker_died',
        detail: `expected a verdict, got a dead worker each time: ${detail}`,
      }),
    ],
  };
}

/** What is left of a batch without rows: the offsets that it settles. */
function nothing({ topic, partition, first, next }: RawBatch): ScoredBatch {
  return {
    topic,
    partition,
    rows: 0,
    first,
    next,
    arena: new Uint8Array(0),
    shards: [],
    deadLetters: [],
    skipped: {},
    tally: { actions: {}, reasons: {}, languages: {}, unsupported: {} },
    seconds: {},
    tokens: 0,
    padding: 0,
  };
}

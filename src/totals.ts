import type { FlushReport, ScoredBatch } from './types.ts';

/** What a run did so far; the last line of `sluice run --json`. Counts of messages, bytes of published files, seconds. */
export interface Totals {
  messages: number;
  batches: number;
  rows: number;
  dead_letters: number;
  /** Decisions that sinks can never take; dead letters too, but not counted among them. */
  refused: number;
  /** Decisions that wait in Redis for a webhook, when the run ended. */
  webhooks_waiting: number;
  skipped: number;
  actions: { allow: number; review: number; block: number };
  files: number;
  bytes: number;
  flushes: number;
  /** Wall time of the run. */
  seconds: number;
  /** Worker time by part, summed over threads. */
  worker_seconds: Record<string, number>;
}

/** Totals that batches and flushes add to. `messages` counts classified ones, `rows` those published. */
export function createTotals(): {
  value: Totals;
  scored(batch: ScoredBatch): void;
  flushed(report: FlushReport): void;
} {
  const value: Totals = {
    messages: 0,
    batches: 0,
    rows: 0,
    dead_letters: 0,
    refused: 0,
    webhooks_waiting: 0,
    skipped: 0,
    actions: { allow: 0, review: 0, block: 0 },
    files: 0,
    bytes: 0,
    flushes: 0,
    seconds: 0,
    worker_seconds: {},
  };
  return {
    value,
    scored(batch) {
      const skipped = Object.values(batch.skipped).reduce((sum, count) => sum + count, 0);
      value.messages += batch.rows + batch.deadLetters.length + skipped;
      value.batches++;
      value.skipped += skipped;
      value.refused += batch.refusals?.length ?? 0;
      for (const [allow, review, block] of Object.values(batch.tally.actions)) {
        value.actions.allow += allow;
        value.actions.review += review;
        value.actions.block += block;
      }
      for (const [part, seconds] of Object.entries(batch.seconds)) {
        value.worker_seconds[part] = (value.worker_seconds[part] ?? 0) + seconds;
      }
    },
    flushed(report) {
      value.rows += report.rows;
      value.dead_letters += report.deadLetters;
      value.files += report.files;
      value.bytes += report.bytes;
      value.flushes++;
    },
  };
}

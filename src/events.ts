import { ecsFormat } from '@elastic/ecs-pino-format';
import { pino, type Logger } from 'pino';
import { formatBytes } from './units.ts';
import type { Totals } from './totals.ts';
import type { FlushReport } from './types.ts';

/**
 * Every log line, one function per event. Lines are JSON with Elastic Common Schema field names. Never the text of a
 * message, never a secret.
 */
export interface Events {
  pipelineStarted(fields: {
    pipeline: string;
    inputs: readonly string[];
    store: string;
    model: string;
    workers: number;
  }): void;
  assignmentRecovered(fields: {
    partitions: number;
    transactions: number;
    files: number;
    swept: number;
  }): void;
  flushed(report: FlushReport): void;
  deadLettered(counts: Readonly<Record<string, number>>): void;
  workerDied(fields: { task: string; rows?: number; attempt: number; error: string }): void;
  publishRetried(fields: { key: string; attempt: number; error: string }): void;
  stopRequested(signal: string): void;
  pipelineStopped(totals: Totals): void;
  pipelineFailed(error: Error, operational: boolean): void;
}

/** Events written to standard error as JSON lines, at or above `level`. */
export function createEvents(level: string): Events {
  const log: Logger = pino(
    { ...ecsFormat({ serviceName: 'sluice' }), level },
    pino.destination({ fd: 2, sync: true }),
  );
  const named = (action: string) => ({ 'event.action': action });
  return {
    pipelineStarted: (fields) =>
      log.info({ ...named('pipeline-started'), sluice: fields }, `pipeline ${fields.pipeline} started`),
    assignmentRecovered: (fields) =>
      log.info(
        { ...named('assignment-recovered'), sluice: fields },
        `recovered ${fields.transactions} transactions with ${fields.files} files, swept ${fields.swept}`,
      ),
    flushed: (report) =>
      log.info(
        { ...named('flushed'), sluice: report },
        `flushed ${report.rows} rows to ${report.files} files, ${formatBytes(report.bytes)} (${report.reason})`,
      ),
    deadLettered: (counts) =>
      log.warn(
        { ...named('dead-lettered'), sluice: { codes: counts } },
        `dead letters: ${JSON.stringify(counts)}`,
      ),
    workerDied: (fields) =>
      log.error(
        { ...named('worker-died'), sluice: fields },
        `a worker died in ${fields.task}: ${fields.error}`,
      ),
    publishRetried: (fields) =>
      log.warn(
        { ...named('publish-retried'), sluice: fields },
        `publishing ${fields.key} again: ${fields.error}`,
      ),
    stopRequested: (signal) => log.info({ ...named('stop-requested') }, `${signal}: flushing, then stopping`),
    pipelineStopped: (totals) =>
      log.info({ ...named('pipeline-stopped'), sluice: totals }, `stopped after ${totals.rows} rows`),
    pipelineFailed: (error, operational) =>
      log.error(
        { ...named('pipeline-failed'), ...(operational ? { 'error.type': error.name } : { err: error }) },
        error.message,
      ),
  };
}

import { ecsFormat } from '@elastic/ecs-pino-format';
import { pino, type Logger } from 'pino';
import type { Served } from './api/app.ts';
import { createClassifyEvents, type ClassifyEvents } from './classify-events.ts';
import { createLanguageLabels } from './language-label.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { type PartitionLag } from './ports.ts';
import type { Delivered, Refused } from './sinks/fan-out.ts';
import type { DeliveryEvents } from './sinks/webhooks/delivery-events.ts';
import { ACTIONS, type FlushReport, type ScoredBatch } from './types.ts';
import type { Totals } from './totals.ts';
import { formatBytes } from './units.ts';
import { createWebhookEvents } from './webhook-events.ts';

/**
 * Every log line and every count, one function per event. Lines are JSON with Elastic Common Schema field names. Never the
 * text of a message, never a secret.
 */
export interface Events {
  readonly metrics: Metrics;
  readonly webhooks: DeliveryEvents;
  readonly classify: ClassifyEvents;
  pipelineStarted(fields: {
    pipeline: string;
    source: string;
    store: string;
    model: string;
    /** By model: the execution provider or the server that computes its scores. */
    runs_on: readonly string[];
    workers: number;
  }): void;
  /** Something that the pipeline needs does not answer yet. */
  startDelayed(error: Error): void;
  serverStarted(address: string): void;
  assigned(partitions: number): void;
  unassigned(fields: { reason: 'revoked' | 'lost'; token: number }): void;
  assignmentRecovered(fields: {
    partitions: number;
    transactions: number;
    files: number;
    swept: number;
  }): void;
  batchScored(batch: ScoredBatch): void;
  /** A batch that a sink was told, or refused. */
  delivered(delivered: Delivered): void;
  /** Decisions that sinks can never take; they become dead letters. */
  refused(refused: readonly Refused[]): void;
  deliveryRetried(fields: { sink: string; attempt: number; error: string }): void;
  flushed(report: FlushReport): void;
  /** A flush that others have taken over from. */
  fenced(error: Error): void;
  lagged(lag: readonly PartitionLag[]): void;
  workerDied(fields: { task: string; rows?: number; attempt: number; error: string }): void;
  storeRetried(fields: { operation: string; subject: string; attempt: number; error: string }): void;
  sweepFailed(error: Error): void;
  /** A committed file vanished; its transaction is read again, or its rows are lost. */
  transactionLost(fields: {
    transaction: string;
    detail: string;
    ranges: readonly string[];
    rewound: boolean;
  }): void;
  /** The topic deleted messages before they were read. */
  offsetsExpired(fields: { topic: string; partition: number; from: number; to: number }): void;
  /** The source lost its connection or its membership, and tries again. */
  sourceFailed(fields: { error: string }): void;
  apiStarted(fields: {
    address: string;
    content: string;
    feedback: string | undefined;
    decisions: string | undefined;
  }): void;
  /** The access log. */
  apiServed(served: Served): void;
  /** Brokers do not answer the HTTP API, or refuse; it tries again. */
  apiRetried(fields: { operation: string; error: string }): void;
  /** The HTTP API ended, or one request met a bug. */
  apiFailed(error: Error, operational: boolean): void;
  apiStopped(): void;
  stopRequested(signal: string): void;
  pipelineStopped(totals: Totals): void;
  pipelineFailed(error: Error, operational: boolean): void;
}

/** With a server away everything is tried again: one line for each operation in so many milliseconds says enough. */
const RETRY_LOG_MILLIS = 5_000;

/** Events written to standard error as JSON lines, at or above `level`, and counted. */
export function createEvents(level: string, metrics = createMetrics()): Events {
  const log: Logger = pino(
    { ...ecsFormat({ serviceName: 'sluice' }), level },
    pino.destination({ fd: 2, sync: true }),
  );
  const languageOf = createLanguageLabels();
  const retried = new Map<string, { readonly at: number; readonly silent: number }>();
  const named = (action: string, fields?: object) => ({
    'event.action': action,
    ...(fields && { sluice: fields }),
  });
  /** How often the same was not logged since it was, for the line; undefined when it must be silent this time too. */
  function sinceLast(what: string): string | undefined {
    const { at = -Infinity, silent = 0 } = retried.get(what) ?? {};
    const isQuiet = performance.now() - at < RETRY_LOG_MILLIS;
    retried.set(what, isQuiet ? { at, silent: silent + 1 } : { at: performance.now(), silent: 0 });
    if (isQuiet) return undefined;
    return silent > 0 ? ` (and ${silent} more times since the last such line)` : '';
  }
  const tools = { log, metrics, named, sinceLast };
  const classify = createClassifyEvents(tools);
  return {
    metrics,
    classify,
    webhooks: createWebhookEvents(tools),
    pipelineStarted: (fields) =>
      log.info(named('pipeline-started', fields), `pipeline ${fields.pipeline} started`),
    startDelayed: (error) => log.warn(named('start-delayed'), `waiting: ${error.message}`),
    serverStarted: (address) => log.info(named('server-started', { address }), `metrics at ${address}`),
    assigned(partitions) {
      metrics.assignments.inc();
      metrics.assignedPartitions.set(partitions);
      log.info(named('assigned', { partitions }), `assigned ${partitions} partitions`);
    },
    unassigned(fields) {
      metrics.assignedPartitions.set(0);
      log.info(named('unassigned', fields), `assignment ${fields.token} was ${fields.reason}`);
    },
    assignmentRecovered(fields) {
      metrics.recovered.inc(fields.transactions);
      metrics.swept.inc(fields.swept);
      log.info(
        named('assignment-recovered', fields),
        `recovered ${fields.transactions} transactions with ${fields.files} files, swept ${fields.swept}`,
      );
    },
    batchScored(batch) {
      countBatch(metrics, languageOf, batch);
      classify.scored(batch.work ?? []);
      if (batch.deadLetters.length === 0) return;
      const codes: Record<string, number> = {};
      for (const { stage, code } of batch.deadLetters) {
        codes[code] = (codes[code] ?? 0) + 1;
        metrics.deadLetters.inc({ stage, code });
      }
      log.warn(named('dead-lettered', { codes }), `dead letters: ${JSON.stringify(codes)}`);
    },
    delivered({ sink, decisions, refused, lag, took }) {
      metrics.delivered.inc({ sink }, decisions - refused);
      metrics.deliverySeconds.observe({ sink }, took / 1000);
      metrics.deliveryLag.observe({ sink }, Math.max(0, lag) / 1000);
    },
    refused(all) {
      const codes: Record<string, number> = {};
      for (const { sink, code } of all) {
        codes[`${sink}: ${code}`] = (codes[`${sink}: ${code}`] ?? 0) + 1;
        metrics.refused.inc({ sink, code });
      }
      log.error(
        named('refused', { codes, detail: all[0]?.detail }),
        `sinks refused decisions: ${JSON.stringify(codes)}, such as: ${all[0]?.detail}`,
      );
    },
    deliveryRetried(fields) {
      metrics.deliveryRetries.inc({ sink: fields.sink });
      const others = sinceLast(`sink ${fields.sink}`);
      if (others === undefined) return;
      log.warn(
        named('delivery-retried', fields),
        `sink ${fields.sink} failed, trying again: ${fields.error}${others}`,
      );
    },
    flushed(report) {
      metrics.flushes.inc({ reason: report.reason });
      metrics.flushSeconds.observe(report.seconds);
      metrics.rows.inc(report.rows);
      metrics.files.inc(report.files);
      metrics.bytes.inc(report.bytes);
      metrics.lastFlush.setToCurrentTime();
      log.info(
        named('flushed', report),
        `flushed ${report.rows} rows to ${report.files} files, ${formatBytes(report.bytes)} (${report.reason})`,
      );
    },
    fenced(error) {
      metrics.fenced.inc();
      log.warn({ ...named('fenced'), 'error.type': error.name }, `a flush was dropped: ${error.message}`);
    },
    lagged(lag) {
      // Partitions that were taken away must not keep their last value.
      metrics.positionLag.reset();
      metrics.commitLag.reset();
      for (const { topic, partition, position, committed, end } of lag) {
        metrics.positionLag.set({ topic, partition }, Math.max(0, end - position));
        metrics.commitLag.set({ topic, partition }, Math.max(0, end - committed));
      }
    },
    workerDied(fields) {
      metrics.workerDeaths.inc({ task: fields.task });
      log.error(named('worker-died', fields), `a worker died in ${fields.task}: ${fields.error}`);
    },
    storeRetried(fields) {
      const { operation, subject, error } = fields;
      metrics.storeRetries.inc({ operation });
      const others = sinceLast(operation);
      if (others === undefined) return;
      log.warn(
        named('store-retried', fields),
        `${operation} of ${subject} failed, trying again: ${error}${others}`,
      );
    },
    sweepFailed: (error) =>
      log.warn(named('sweep-failed'), `unfinished files stay for now: ${error.message}`),
    transactionLost(fields) {
      const { transaction, ranges, detail, rewound } = fields;
      (rewound ? metrics.rewound : metrics.lost).inc();
      const outcome = rewound
        ? 'it is undone and its messages are read again'
        : 'its messages have expired, so the rows of that file are LOST; `sluice verify` names them';
      log.error(
        named('transaction-lost', fields),
        `a file of committed transaction ${transaction} (${ranges.join(', ')}) has vanished: ${outcome}: ${detail}`,
      );
    },
    offsetsExpired(fields) {
      const { topic, partition, from, to } = fields;
      metrics.expired.inc(to - from);
      log.error(
        named('offsets-expired', fields),
        `${topic}-${partition}: offsets ${from} to ${to} were deleted before they were read: raise the topic's retention, or read faster`,
      );
    },
    sourceFailed(fields) {
      metrics.sourceFailures.inc();
      log.warn(named('source-failed', fields), `the source failed, trying again: ${fields.error}`);
    },
    apiStarted: (fields) => log.info(named('api-started', fields), `HTTP API at ${fields.address}`),
    apiServed(served) {
      const { method, route, status, seconds, customer, client, reasons, wait } = served;
      metrics.apiRequests.inc({ route, status });
      metrics.apiSeconds.observe({ route }, seconds);
      if (wait) metrics.apiWaits.inc({ outcome: wait });
      log.info(
        {
          ...named('api-served', { customer, reasons, wait }),
          'http.request.method': method,
          'url.path': route,
          'http.response.status_code': status,
          // In nanoseconds, as the Elastic Common Schema has it.
          'event.duration': Math.round(seconds * 1e9),
          'client.address': client,
        },
        `${method} ${route} ${status}`,
      );
    },
    apiRetried(fields) {
      metrics.apiRetries.inc({ operation: fields.operation === 'produce' ? 'produce' : 'read' });
      const others = sinceLast(`api ${fields.operation}`);
      if (others === undefined) return;
      log.warn(named('api-retried', fields), `${fields.operation} failed: ${fields.error}${others}`);
    },
    apiFailed: (error, operational) =>
      log.error(
        { ...named('api-failed'), ...(operational ? { 'error.type': error.name } : { err: error }) },
        error.message,
      ),
    apiStopped: () => log.info(named('api-stopped'), 'HTTP API stopped'),
    stopRequested: (signal) => log.info(named('stop-requested'), `${signal}: flushing, then stopping`),
    pipelineStopped: (totals) =>
      log.info(named('pipeline-stopped', totals), `stopped after ${totals.rows} rows`),
    pipelineFailed: (error, operational) =>
      log.error(
        { ...named('pipeline-failed'), ...(operational ? { 'error.type': error.name } : { err: error }) },
        error.message,
      ),
  };
}

function countBatch(metrics: Metrics, languageOf: (tag: string) => string, batch: ScoredBatch): void {
  const skipped = Object.values(batch.skipped).reduce((sum, count) => sum + count, 0);
  metrics.messages.inc(batch.rows + batch.deadLetters.length + skipped);
  for (const counts of Object.values(batch.tally.actions)) {
    for (const [index, action] of ACTIONS.entries()) metrics.decisions.inc({ action }, counts[index] ?? 0);
  }
  for (const [tag, counts] of Object.entries(batch.tally.languages)) {
    const language = languageOf(tag);
    for (const [index, action] of ACTIONS.entries())
      if (counts[index]) metrics.languageDecisions.inc({ language, action }, counts[index]);
  }
  for (const [tag, rows] of Object.entries(batch.tally.unsupported))
    metrics.unsupportedRows.inc({ language: languageOf(tag) }, rows);
  for (const [part, seconds] of Object.entries(batch.seconds)) metrics.workerSeconds.inc({ part }, seconds);
}

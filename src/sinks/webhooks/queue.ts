import { Queue, Worker, createRedisBackend, type Job, type JobsOptions } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Decision } from '../../decision.ts';
import type { EndpointConfig, WebhooksConfig } from './config.ts';
import { scheduleLength } from './schedule.ts';

/** A decision on its way to one endpoint. */
export type DeliveryJob = Job<Decision, unknown>;

/** What an endpoint is to the queue. */
export interface EndpointPlace {
  readonly redis: Redis;
  readonly prefix: string;
  /** Names of sink and endpoint in the configuration. */
  readonly sink: string;
  readonly endpoint: string;
}

/** A process that is silent so long loses what it was sending: others send it again. Milliseconds. */
export const LOCK_MILLIS = 10_000;
/** How often it is looked for such jobs. */
const STALLED_MILLIS = 5_000;
/** Lines of the delivery log that are kept of each decision. */
const LOG_LINES = 50;
/** Without a limit of its own an endpoint has one that it never reaches: BullMQ looks at pauses only where there is a limit. */
const NO_LIMIT = { max: 1e9, duration: 1_000 };

/** The BullMQ queue of an endpoint. Opening it reads nothing and waits for nothing; the connection stays the caller's. */
export function openQueue(
  { redis, prefix, sink, endpoint }: EndpointPlace,
  { readOnly = false }: { readonly readOnly?: boolean } = {},
): Queue<Decision, unknown> {
  const queue = new Queue<Decision, unknown>(queueName(sink, endpoint), {
    connection: redis,
    prefix,
    skipVersionCheck: true,
    // Nobody reads BullMQ's events; ten thousand of each endpoint would be kept.
    streams: { events: { maxLen: 10 } },
    skipMetasUpdate: readOnly,
  });
  // The same failure rejects what was called, where it is handled.
  queue.on('error', () => undefined);
  return queue;
}

/**
 * A worker of an endpoint that is asked for jobs one by one. It shares the connection: BullMQ's own way, a blocked connection for each
 * worker, costs a thousand of them for a thousand endpoints.
 */
export function openWorker(
  { redis, prefix, sink, endpoint }: EndpointPlace,
  { rate }: EndpointConfig,
): Worker<Decision, unknown> {
  const worker = new Worker<Decision, unknown>(
    queueName(sink, endpoint),
    null,
    {
      connection: redis,
      prefix,
      skipVersionCheck: true,
      autorun: false,
      limiter: limiterOf(rate),
      lockDuration: LOCK_MILLIS,
      stalledInterval: STALLED_MILLIS,
      // A decision is never given up because processes die.
      maxStalledCount: 1e9,
      settings: {
        backoffStrategy: (_attempts, _type, error) => (error instanceof AttemptError ? error.delay : -1),
      },
    },
    (name, options) => createRedisBackend(name, options),
  );
  worker.on('error', () => undefined);
  return worker;
}

/** A failed attempt; `delay`: milliseconds until the next one, -1: there is none. */
export class AttemptError extends Error {
  override name = 'AttemptError';
  readonly delay: number;

  constructor(message: string, delay: number) {
    super(message);
    this.delay = delay;
  }
}

/** The limit of BullMQ for an endpoint's rate. */
export function limiterOf(rate: EndpointConfig['rate']): { readonly max: number; readonly duration: number } {
  return rate ? { max: rate.max, duration: rate.per } : NO_LIMIT;
}

/** Names of sinks and endpoints have no dots, so that no two queues have one name. */
export function queueName(sink: string, endpoint: string): string {
  return `${sink}.${endpoint}`;
}

/** The job's id is the decision's: BullMQ adds no second one. It wants ids without colons. */
export function jobIdOf(decisionId: string): string {
  return decisionId.replaceAll('%', '%25').replaceAll(':', '%3A');
}

/** Options of every job of a sink. */
export function createJobOptions({ retry, remember }: WebhooksConfig): (decision: Decision) => JobsOptions {
  const keep = { age: Math.ceil(remember / 1000) };
  return ({ id }) => ({
    jobId: jobIdOf(id),
    attempts: retry.length + 1,
    backoff: { type: 'schedule' },
    removeOnComplete: keep,
    removeOnFail: keep,
    keepLogs: LOG_LINES,
    stackTraceLimit: 0,
  });
}

/** How long a decision may be put off by receivers that say when to come back, before that counts as a failed attempt. */
export function patienceOf({ retry }: WebhooksConfig): number {
  return Math.max(60_000, scheduleLength(retry));
}

/** The channel on which endpoints with new work are named, separated by commas. */
export function wakeChannel(prefix: string, sink: string): string {
  return `${prefix}:${sink}:wake`;
}

import { setTimeout as delay } from 'node:timers/promises';
import type { Dispatcher } from 'undici';
import { messageOf as textOf } from '../../errors.ts';
import { breakerStep } from './breaker.ts';
import type { EndpointConfig, WebhooksConfig } from './config.ts';
import type { DeliveryEvents } from './delivery-events.ts';
import { createEndpointStore } from './endpoint-state.ts';
import { createHeld } from './held.ts';
import { readStatus, type EndpointStatus } from './endpoint-status.ts';
import { messageOf } from './message.ts';
import { outcomeOf, type Outcome } from './outcome.ts';
import { limiterOf, openQueue, openWorker, type DeliveryJob, type EndpointPlace } from './queue.ts';
import { sendWebhook } from './send.ts';
import { settle, type Attempt } from './settle.ts';

/** How long an endpoint with nothing to do is not looked at unless something wakes it, milliseconds. */
const POLL_MILLIS = 5_000;
const LOOK_AGAIN_MILLIS = 50;
/** How often successes in a row are written down, milliseconds. */
const NEWS_MILLIS = 1_000;
/** How often, and how many at a time, old deliveries are forgotten. */
const FORGET_MILLIS = 3600_000;
const FORGET_JOBS = 10_000;
/** How many at a time where Redis has little room. */
const RELIEVE_JOBS = 5_000;
/** Wait after Redis failed, milliseconds. */
const FAILURE_MILLIS = 500;

/** What one endpoint's deliveries are made of. */
export interface EndpointWorkerOptions {
  readonly place: EndpointPlace;
  readonly sink: WebhooksConfig;
  readonly endpoint: EndpointConfig;
  readonly dispatcher: Dispatcher;
  readonly events: DeliveryEvents;
}

/** Sends what one endpoint's queue holds; knows of no other endpoint. */
export interface EndpointWorker {
  /** Sends until stopped. Never rejects. */
  run(): Promise<void>;
  /** There may be something to do. */
  wake(): void;
  status(): Promise<EndpointStatus>;
  /** Forgets what was delivered, the oldest first, to make room in Redis. */
  relieve(): Promise<void>;
  /** Takes nothing more. `run` resolves when what is under way is settled; `abandon` ends that too. */
  stop(): void;
  abandon(): void;
  close(): Promise<void>;
}

/** See {@link EndpointWorker}. */
export function createEndpointWorker(options: EndpointWorkerOptions): EndpointWorker {
  const { place, sink, endpoint, dispatcher, events } = options;
  const label = `${place.sink}/${place.endpoint}`;
  const queue = openQueue(place);
  const worker = openWorker(place, endpoint);
  const store = createEndpointStore(place, queue);
  const limit = limiterOf(endpoint.rate);
  const held = createHeld({
    worker,
    onLost: (id) => events.lockLost({ endpoint: label, id }),
  });
  const stopping = new AbortController();
  const abandoned = new AbortController();
  const requests = new Set<Promise<void>>();
  let awake = new AbortController();
  /** When a success was last written down, and no failure since; milliseconds UTC. */
  let workedAt = -Infinity;
  /** The last revision of the endpoint's state that was read. */
  let revision = 0;
  /** Times in a row that there was no job. */
  let empty = 0;
  /** How many jobs are asked for at once. */
  let width = 1;
  /** Results change the breaker one after the other. */
  let recording: Promise<unknown> = Promise.resolve();

  const wake = () => awake.abort();
  worker.on('stalled', wake);

  /** Until it is woken, or so many milliseconds. */
  async function idle(millis: number): Promise<void> {
    await delay(millis, undefined, { signal: awake.signal }).catch(() => undefined);
    awake = new AbortController();
    if (stopping.signal.aborted) awake.abort();
  }

  /** Jobs for one request: those that there are, and for a batch those that come within its linger. */
  async function gather(first: DeliveryJob): Promise<DeliveryJob[]> {
    const { size, linger } = endpoint.batch;
    const jobs = [first];
    const end = performance.now() + linger;
    while (jobs.length < size && !stopping.signal.aborted) {
      // What is gathered is sent, also when Redis is gone now.
      const job = await held.take().catch(() => undefined);
      if (job) jobs.push(job);
      else if (performance.now() >= end) break;
      else await idle(Math.min(POLL_MILLIS, end - performance.now()));
    }
    return jobs;
  }

  /** What a result means for the endpoint is known everywhere before its jobs are free again. */
  async function record(outcome: Outcome, attempt: Attempt, beginning: Promise<number>): Promise<void> {
    const { startedAt, result, millis } = attempt;
    if (outcome.kind === 'gone') {
      const why = `answered 410 on ${new Date(startedAt).toISOString()}`;
      await store.disable(why);
      events.disabled({ endpoint: label, why });
    }
    if (outcome.kind === 'held') await store.hold(outcome.millis);
    const ok = outcome.kind === 'delivered';
    // Another success of an endpoint that works is no news.
    if (ok && startedAt < workedAt + NEWS_MILLIS) return;
    workedAt = -Infinity;
    await store.attempted({ at: new Date(startedAt).toISOString(), result, millis });
    if (!ok && outcome.kind !== 'failed') return;
    const began = await beginning;
    const { pause, closed } = await store.change((breaker, now) =>
      breakerStep(breaker, { ok, began, revision: now }, sink.breaker),
    );
    if (ok) workedAt = startedAt;
    if (pause !== undefined) events.breakerOpened({ endpoint: label, millis: pause, result });
    if (closed) events.breakerClosed({ endpoint: label });
  }

  /** The revision of the state as a request begins; while the endpoint works, the one that was read within a second is as good. */
  async function beginningOf(startedAt: number): Promise<number> {
    if (startedAt >= workedAt + NEWS_MILLIS)
      revision = (await store.read().catch(failed))?.revision ?? revision;
    return revision;
  }

  /** Sends one request; resolves with the next job, where one came with the end of this one. */
  async function send(jobs: readonly DeliveryJob[]): Promise<DeliveryJob | undefined> {
    const decisions = jobs.map(({ data }) => data);
    const startedAt = Date.now();
    const beginning = beginningOf(startedAt);
    const answer = await sendWebhook({
      message: messageOf(decisions, { batched: endpoint.batch.size > 1 }),
      endpoint,
      dispatcher,
      signal: abandoned.signal,
    });
    if (answer.error?.code === 'aborted') {
      // Nobody knows whether it arrived: the same is sent again.
      await Promise.all(jobs.map((job) => held.putBack(job)));
      return undefined;
    }
    const outcome = outcomeOf(answer, Date.now());
    const result = String(answer.status ?? answer.error?.code);
    const millis = Math.round(answer.took);
    const detail = answer.error?.detail ?? '';
    const attempt = { outcome, result, detail, millis, startedAt, random: Math.random() };
    recording = recording.then(() => record(outcome, attempt, beginning)).catch(failed);
    await recording;
    const ids = jobs.map(({ data }) => data.id);
    const oldest = Math.min(...decisions.map((each) => Date.parse(each.produced_at ?? each.received_at)));
    events.attempted({
      endpoint: label,
      ids,
      outcome: outcome.kind,
      result,
      millis,
      lag: startedAt + millis - oldest,
    });
    const [next] = await Promise.all(jobs.map((job) => finish(job, attempt)));
    return next;
  }

  async function finish(job: DeliveryJob, attempt: Attempt): Promise<DeliveryJob | undefined> {
    const fetchNext = endpoint.batch.size === 1 && !stopping.signal.aborted;
    const { became, next } = await settle(job, attempt, {
      config: sink,
      signal: abandoned.signal,
      fetchNext,
    });
    held.release(job);
    const { id } = job.data;
    const { result, outcome } = attempt;
    if (became === 'lost') events.lockLost({ endpoint: label, id });
    if (became === 'exhausted') events.exhausted({ endpoint: label, id, attempts: job.attemptsMade, result });
    // A breaker that opened lets one job at a time through: this one's end may be what the next waits for.
    if (outcome.kind === 'failed') wake();
    // Another process that takes over looks by itself.
    if (became === 'retrying') setTimeout(wake, job.delay + 1).unref();
    if (became === 'waiting' && outcome.kind === 'held') setTimeout(wake, outcome.millis + 1).unref();
    return held.adopt(next, job.token ?? '');
  }

  function failed(error: unknown): void {
    events.queueFailed({ sink: place.sink, error: textOf(error) });
  }

  /** Several jobs side by side, twice as many each time that there were so many: a round trip for each alone would be the limit. */
  async function take(): Promise<DeliveryJob[]> {
    const wanted = Math.min(width, endpoint.concurrency - requests.size);
    const taken = await Promise.allSettled(Array.from({ length: wanted }, () => held.take()));
    const jobs = taken.flatMap((each) => (each.status === 'fulfilled' && each.value ? [each.value] : []));
    const refused = taken.find((each) => each.status === 'rejected');
    // What was taken is sent, also when Redis is gone now.
    if (refused && jobs.length === 0) throw refused.reason;
    width = jobs.length === wanted ? Math.min(2 * width, endpoint.concurrency) : 1;
    if (!stopping.signal.aborted) return jobs;
    await Promise.all(jobs.map((job) => held.putBack(job)));
    return [];
  }

  /** Sends these jobs, and after them one by one those that come with the end of each. */
  function request(jobs: readonly DeliveryJob[]): void {
    const sending = (async () => {
      for (let next = await send(jobs); next;) next = await send([next]);
    })().finally(() => requests.delete(sending));
    requests.add(sending);
  }

  async function step(): Promise<void> {
    if (requests.size >= endpoint.concurrency) {
      await Promise.race(requests);
      return;
    }
    if (endpoint.batch.size > 1) {
      const job = await held.take();
      if (job) request(await gather(job));
      else await rest();
      if (job) empty = 0;
      return;
    }
    const jobs = await take();
    for (const job of jobs) request([job]);
    if (jobs.length > 0) empty = 0;
    else await rest();
  }

  /** There was no job: until something tells of one, or a limit ends. */
  async function rest(): Promise<void> {
    const ttl = await queue.getRateLimitTtl(limit.max);
    // A limit may have ended between the two questions, so that nothing says when to look again: look twice.
    empty = ttl > 0 ? 0 : empty + 1;
    const look = empty === 1 ? LOOK_AGAIN_MILLIS : POLL_MILLIS * (0.75 + Math.random() / 2);
    await idle(ttl > 0 ? Math.min(ttl + 1, POLL_MILLIS) : look);
  }

  /** BullMQ forgets when another job ends: at a quiet endpoint that may be never. */
  async function forget(): Promise<void> {
    await queue.clean(sink.remember, FORGET_JOBS, 'completed');
    await queue.clean(sink.remember, FORGET_JOBS, 'failed');
  }

  return {
    async run() {
      held.start();
      const forgetting = setInterval(() => void forget().catch(failed), FORGET_MILLIS);
      forget().catch(failed);
      await store.repair().catch(failed);
      while (!stopping.signal.aborted) {
        await step().catch(async (error: unknown) => {
          failed(error);
          await delay(FAILURE_MILLIS, undefined, { signal: stopping.signal }).catch(() => undefined);
        });
      }
      clearInterval(forgetting);
      await Promise.all(requests);
    },
    wake,
    status: () => readStatus(store, queue),
    async relieve() {
      await queue.clean(0, RELIEVE_JOBS, 'completed');
    },
    stop() {
      stopping.abort();
      wake();
    },
    abandon: () => abandoned.abort(),
    async close() {
      held.close();
      await worker.close();
      await queue.close();
    },
  };
}

import type { Queue } from 'bullmq';
import type { Decision } from '../../decision.ts';
import { CLOSED, type BreakerState, type BreakerStep } from './breaker.ts';
import { queueName, wakeChannel, type EndpointPlace } from './queue.ts';

/** The last answer of an endpoint, or why there was none. */
export interface LastAttempt {
  /** ISO 8601. */
  readonly at: string;
  /** `200`, `timeout`, `ECONNREFUSED` … */
  readonly result: string;
  readonly millis: number;
}

/** What all processes know of an endpoint, beside its queue. */
export interface EndpointState {
  readonly breaker: BreakerState;
  /** Grows with each change of the breaker. */
  readonly revision: number;
  /** Why it is told nothing; undefined when it is. */
  readonly disabled?: string;
  readonly last?: LastAttempt;
}

/** Keeps the state of one endpoint in Redis, as a hash. */
export interface EndpointStore {
  read(): Promise<EndpointState>;
  attempted(last: LastAttempt): Promise<void>;
  /** Leaves the endpoint alone for so many milliseconds. */
  hold(millis: number): Promise<void>;
  /**
   * Changes the breaker as `step` says, once, whatever other processes do at the same time, and makes it so for the queue: an open one
   * is held for the pause and then gives out one job at a time, to all processes together.
   */
  change(step: (breaker: BreakerState) => BreakerStep): Promise<BreakerStep>;
  /** A process that was killed between a change of the breaker and that of the queue left them apart. */
  repair(): Promise<void>;
  /** Nothing is sent any more; what is there and what comes stays. */
  disable(why: string): Promise<void>;
  /** All of this is over. */
  enable(): Promise<void>;
}

/** Writes the fields ARGV[2…] of the hash KEYS[1], unless its revision is another than ARGV[1]. */
const WRITE_UNCHANGED = `
if (redis.call('HGET', KEYS[1], 'revision') or '0') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], unpack(ARGV, 2))
redis.call('HINCRBY', KEYS[1], 'revision', 1)
return 1`;

/**
 * The hold is BullMQ's rate limit, the single probe its global concurrency, the end its pause: all of them are kept in Redis and
 * hold for the workers of all processes, in the step that takes a job.
 */
export function createEndpointStore(place: EndpointPlace, queue: Queue<Decision, unknown>): EndpointStore {
  const { redis, prefix, sink, endpoint } = place;
  // BullMQ's keys of a queue have another second part: queue names have a dot.
  const key = `${prefix}:endpoint:${queueName(sink, endpoint)}`;

  async function read(): Promise<EndpointState> {
    const fields = await redis.hgetall(key);
    const {
      failures = 0,
      openings = 0,
      openedAt = 0,
      revision = 0,
      at,
      result = '',
      millis = 0,
      disabled,
    } = fields;
    return {
      breaker: { failures: Number(failures), openings: Number(openings), openedAt: Number(openedAt) },
      revision: Number(revision),
      ...(disabled === undefined ? {} : { disabled }),
      ...(at === undefined ? {} : { last: { at, result, millis: Number(millis) } }),
    };
  }

  async function write({ failures, openings, openedAt }: BreakerState, revision: number): Promise<boolean> {
    const fields = ['failures', failures, 'openings', openings, 'openedAt', openedAt];
    return (await redis.eval(WRITE_UNCHANGED, 1, key, revision, ...fields)) === 1;
  }

  /** Of several processes that do this at the same time the last one sees the last state, and makes that so. */
  async function apply({ state, pause }: BreakerStep, revision: number): Promise<void> {
    if (state.openings > 0) {
      if (pause !== undefined) await queue.rateLimit(pause);
      await queue.setGlobalConcurrency(1);
    } else await release();
    const now = await read();
    if (now.revision !== revision) await apply({ state: now.breaker }, now.revision);
  }

  async function release(): Promise<void> {
    await queue.removeGlobalConcurrency();
    await queue.removeRateLimitKey();
    await redis.publish(wakeChannel(prefix, sink), endpoint);
  }

  return {
    read,

    async attempted(last) {
      await redis.hset(key, { ...last });
    },

    hold: (millis) => queue.rateLimit(millis),

    async change(step) {
      for (;;) {
        const { breaker, revision } = await read();
        const change = step(breaker);
        const { failures, openings, openedAt } = change.state;
        if (failures === breaker.failures && openings === breaker.openings && openedAt === breaker.openedAt)
          return change;
        if (!(await write(change.state, revision))) continue;
        if (change.pause !== undefined || change.closed) await apply(change, revision + 1);
        return change;
      }
    },

    async repair() {
      const { breaker } = await read();
      if (breaker.openings === 0) await queue.removeGlobalConcurrency();
    },

    async disable(why) {
      await queue.pause();
      await redis.hset(key, { disabled: why });
    },

    async enable() {
      await redis
        .multi()
        .hset(key, { ...CLOSED })
        .hincrby(key, 'revision', 1)
        .hdel(key, 'disabled')
        .exec();
      await queue.resume();
      await release();
    },
  };
}

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
  /** Leaves the endpoint alone for so many milliseconds, as it asked for; a longer hold stays. */
  hold(millis: number): Promise<void>;
  /**
   * Changes the breaker as `step` says, once, whatever other processes do at the same time, and makes it so for the queue: an open one
   * is held for the pause and then gives out one job at a time, to all processes together.
   */
  change(step: (breaker: BreakerState, revision: number) => BreakerStep): Promise<BreakerStep>;
  /** A process that was killed between a change of the state and that of the queue left them apart: the queue follows. */
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
 * Both reasons for a hold share BullMQ's one limiter KEYS[1], which is full while it has this value; a smaller one counts the jobs of
 * a rate's window. What the endpoint asked for is kept beside it, KEYS[2]: the breaker may close earlier.
 */
const HELD = Number.MAX_SAFE_INTEGER;
const IS_HELD = `tonumber(redis.call('GET', KEYS[1]) or 0) >= ${HELD}`;

/** Holds for ARGV[1] milliseconds, unless it is held for longer. With KEYS[2] the endpoint has asked for it. */
const HOLD = `
local wanted = tonumber(ARGV[1])
if KEYS[2] and redis.call('PTTL', KEYS[2]) < wanted then redis.call('SET', KEYS[2], '1', 'PX', wanted) end
if not (${IS_HELD} and redis.call('PTTL', KEYS[1]) >= wanted) then redis.call('SET', KEYS[1], ARGV[2], 'PX', wanted) end`;

/** Ends the breaker's hold; what the endpoint asked for goes on. */
const RELEASE = `
if not (${IS_HELD}) then return end
local asked = redis.call('PTTL', KEYS[2])
if asked > 0 then redis.call('SET', KEYS[1], ARGV[1], 'PX', asked) else redis.call('DEL', KEYS[1]) end`;

/**
 * The hold is BullMQ's rate limit, the single probe its global concurrency, the end its pause: all of them are kept in Redis and
 * hold for the workers of all processes, in the step that takes a job.
 */
export function createEndpointStore(place: EndpointPlace, queue: Queue<Decision, unknown>): EndpointStore {
  const { redis, prefix, sink, endpoint } = place;
  // BullMQ's keys of a queue have another second part: queue names have a dot.
  const key = `${prefix}:endpoint:${queueName(sink, endpoint)}`;
  const askedKey = `${key}:retry-after`;
  const limiterKey = queue.toKey('limiter');

  async function read(): Promise<EndpointState> {
    const fields = await redis.hgetall(key);
    const {
      failures = 0,
      openings = 0,
      opened = 0,
      revision = 0,
      at,
      result = '',
      millis = 0,
      disabled,
    } = fields;
    return {
      breaker: { failures: Number(failures), openings: Number(openings), opened: Number(opened) },
      revision: Number(revision),
      ...(disabled === undefined ? {} : { disabled }),
      ...(at === undefined ? {} : { last: { at, result, millis: Number(millis) } }),
    };
  }

  async function write({ failures, openings, opened }: BreakerState, revision: number): Promise<boolean> {
    const fields = ['failures', failures, 'openings', openings, 'opened', opened];
    return (await redis.eval(WRITE_UNCHANGED, 1, key, revision, ...fields)) === 1;
  }

  /** Of several processes that do this at the same time the last one sees the last state, and makes that so. */
  async function apply({ state, pause }: BreakerStep, revision: number): Promise<void> {
    if (state.openings > 0) {
      if (pause !== undefined) await redis.eval(HOLD, 1, limiterKey, pause, HELD);
      await queue.setGlobalConcurrency(1);
    } else {
      await queue.removeGlobalConcurrency();
      await redis.eval(RELEASE, 2, limiterKey, askedKey, HELD);
      await wake();
    }
    const now = await read();
    if (now.revision !== revision) await apply({ state: now.breaker }, now.revision);
  }

  /** The queue is paused while the endpoint is disabled; of several processes the last one sees the last state here too. */
  async function follow(): Promise<void> {
    const { disabled } = await read();
    if (disabled === undefined) await queue.resume();
    else await queue.pause();
    if ((await read()).disabled !== disabled) await follow();
  }

  async function wake(): Promise<void> {
    await redis.publish(wakeChannel(prefix, sink), endpoint);
  }

  return {
    read,

    async attempted(last) {
      await redis.hset(key, { ...last });
    },

    async hold(millis) {
      await redis.eval(HOLD, 2, limiterKey, askedKey, millis, HELD);
    },

    async change(step) {
      for (;;) {
        const { breaker, revision } = await read();
        const change = step(breaker, revision);
        const { failures, openings, opened } = change.state;
        if (failures === breaker.failures && openings === breaker.openings && opened === breaker.opened)
          return change;
        if (!(await write(change.state, revision))) continue;
        if (change.pause !== undefined || change.closed) await apply(change, revision + 1);
        return change;
      }
    },

    async repair() {
      const { breaker, revision } = await read();
      await apply({ state: breaker }, revision);
      await follow();
    },

    async disable(why) {
      // In this order a process that dies in between leaves what repair() completes.
      await redis.hset(key, { disabled: why });
      await follow();
    },

    async enable() {
      // A process that dies here leaves an endpoint that is disabled and works, which repair() ends, not the reverse.
      await queue.resume();
      await redis
        .multi()
        .hset(key, { ...CLOSED })
        .hincrby(key, 'revision', 1)
        .hdel(key, 'disabled')
        .del(askedKey, limiterKey)
        .exec();
      await queue.removeGlobalConcurrency();
      await follow();
      await wake();
    },
  };
}

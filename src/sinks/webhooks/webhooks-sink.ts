import type { Queue } from 'bullmq';
import type { Decision } from '../../decision.ts';
import { createFilter, filterableOf } from '../filter.ts';
import type { Refusal, Sink } from '../sink.ts';
import { RetryableError } from '../../errors.ts';
import { createBacklog } from './backlog.ts';
import type { WebhooksConfig } from './config.ts';
import { createRoomCheck } from './memory.ts';
import { createJobOptions, openQueue, wakeChannel } from './queue.ts';
import { checkRedis } from './redis-check.ts';
import { createRedis } from './redis.ts';

interface Indexed {
  readonly decision: Decision;
  readonly index: number;
}

/**
 * Puts decisions into the queues of the endpoints that want them, in Redis; delivery.ts sends them. A batch is taken when Redis has
 * all of it. A decision that a queue knows already, waiting or delivered, is not added again. `name`: the sink's in the
 * configuration.
 */
export function createWebhooksSink(options: {
  readonly config: WebhooksConfig;
  readonly name: string;
  readonly at: string;
}): Sink {
  const { config, name, at } = options;
  const redis = createRedis({ url: config.redis, at: `${at}.redis` });
  const checkRoom = createRoomCheck(redis.client, `${at}.redis ${redis.address}`);
  const jobOptions = createJobOptions(config);
  const channel = wakeChannel(config.prefix, name);
  const endpoints = Object.entries(config.endpoints).map(([endpoint, filter]) => ({
    endpoint,
    wants: createFilter(filter),
  }));
  const queues = new Map<string, Queue<Decision, unknown>>();
  let warning: string | undefined;

  /** Opened once there is a connection: a queue that meets none stays broken. */
  function queueOf(endpoint: string): Queue<Decision, unknown> {
    let queue = queues.get(endpoint);
    if (!queue) {
      queue = openQueue({ redis: redis.client, prefix: config.prefix, sink: name, endpoint });
      queues.set(endpoint, queue);
    }
    return queue;
  }

  const backlog = createBacklog({
    limit: config.backlog,
    count: (endpoint) => queueOf(endpoint).getJobCountByTypes('waiting', 'delayed'),
  });

  /** Adds what there is room for; resolves with the indexes of the rest. */
  async function add(endpoint: string, own: readonly Indexed[], signal: AbortSignal): Promise<Refusal[]> {
    const room = await backlog.room(endpoint);
    // Another attempt is under way, or nobody waits any more.
    if (signal.aborted)
      throw new RetryableError(`${at}.redis ${redis.address}: given up before it was asked to add`);
    const fitting = own.slice(0, room);
    await queueOf(endpoint).addBulk(
      fitting.map(({ decision }) => ({ name: 'decision', data: decision, opts: jobOptions(decision) })),
    );
    backlog.added(endpoint, fitting.length);
    const detail = `expected at most ${config.backlog} decisions to wait at endpoint ${name}/${endpoint}, got more: is it disabled, or down?`;
    return own
      .slice(room)
      .map(({ index }) => ({ index, code: 'backlog_full', detail, isOneReceivers: true }));
  }

  return {
    get description() {
      const count = endpoints.length === 1 ? 'one endpoint' : `${endpoints.length} endpoints`;
      return `webhooks to ${count} by Redis ${redis.address}${warning === undefined ? '' : ` (${warning})`}`;
    },

    async check() {
      warning = await checkRedis({ url: config.redis, at: `${at}.redis`, prefix: config.prefix });
    },

    async deliver(decisions, signal) {
      const facts = decisions.map(filterableOf);
      const told = endpoints.flatMap(({ endpoint, wants }) => {
        const own = decisions.flatMap((decision, index) =>
          wants(facts[index]!) ? [{ decision, index }] : [],
        );
        return own.length === 0 ? [] : [{ endpoint, own }];
      });
      if (told.length === 0) return [];
      await redis.ready();
      try {
        await checkRoom(told.reduce((sum, { own }) => sum + own.length, 0));
        // All of them are awaited: a batch that is told again must not meet itself.
        const results = await Promise.allSettled(told.map(({ endpoint, own }) => add(endpoint, own, signal)));
        const refusals = results.flatMap((result) => {
          if (result.status === 'rejected') throw result.reason as Error;
          return result.value;
        });
        // Who misses it looks by itself soon.
        await redis.client.publish(channel, told.map(({ endpoint }) => endpoint).join(','));
        return [...new Map(refusals.map((refusal) => [refusal.index, refusal])).values()];
      } catch (error) {
        throw redis.explain(error);
      }
    },

    async close() {
      await Promise.all([...queues.values()].map((queue) => queue.close()));
      redis.close();
    },
  };
}

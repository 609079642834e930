import { checkError, throwIfLate } from './connection-error.ts';
import { connectRedis, type RedisConnection } from './redis-connection.ts';
import { redisError, replyCode } from './redis-error.ts';
import type { RedisSinkConfig } from './redis-sink-config.ts';
import { chunksOf, newestScores, type Score } from './score.ts';
import type { Refusal, Sink } from './sink.ts';

/** Most writes that wait for an answer at a time, per batch: what the server has to buffer. */
const CHUNK = 500;

/**
 * The newest score of each content as a hash; docs/scores.md has its fields. Each write compares versions on the server, so
 * neither order, repeats nor other processes matter. As durable as the server: what it loses in a failover is written again by
 * nobody.
 */
export function createRedisSink({
  config,
  at,
}: {
  readonly config: RedisSinkConfig;
  readonly at: string;
}): Sink {
  const { prefix, ttl = 0 } = config;
  const { protocol, host, pathname } = new URL(config.url);
  const description = `${config.cluster ? 'cluster ' : ''}${protocol}//${host}${pathname}, keys ${prefix}*`;
  const where = `${at}: ${protocol}//${host}`;
  let connected: Promise<RedisConnection> | undefined;

  /** Drops a connection that failed, and what still waits on it; the next call makes another one. */
  async function disconnect(failed: Promise<RedisConnection> | undefined): Promise<void> {
    if (connected === failed) connected = undefined;
    await failed?.then(
      (connection) => connection.disconnect(),
      // Whoever waited for it was told.
      () => undefined,
    );
  }

  async function using<Result>(work: (connection: RedisConnection) => Promise<Result>): Promise<Result> {
    const mine = (connected ??= connectRedis(config));
    try {
      return await work(await mine);
    } catch (error) {
      await disconnect(mine);
      throw redisError(error, where);
    }
  }

  async function write(connection: RedisConnection, score: Score): Promise<Refusal['detail'] | undefined> {
    const key = keyOf(prefix, score);
    try {
      await connection.writeNewer(key, ttl, score.version, fieldsOf(score));
      return undefined;
    } catch (error) {
      if (replyCode(error) !== 'WRONGTYPE') throw error;
      return `expected a hash or nothing at the key ${key}, got a value of another type`;
    }
  }

  return {
    description,

    async check() {
      // On a connection of its own, which ends with it: an open one would keep a process alive that refuses to start.
      let connection: RedisConnection | undefined;
      try {
        connection = await connectRedis(config);
        // No score's: there is no colon after its customer.
        const key = `${prefix}check`;
        await connection.writeNewer(key, 1000, '0', ['version', '0']);
        await connection.del(key);
      } catch (error) {
        throw checkError(redisError(error, where));
      } finally {
        connection?.disconnect();
      }
    },

    async deliver(decisions, signal) {
      return await using(async (connection) => {
        // Only a connection that is cut ends the wait for a server that says nothing.
        const cut = () => connection.disconnect();
        signal.addEventListener('abort', cut, { once: true });
        try {
          const refusals: Refusal[] = [];
          for (const chunk of chunksOf(newestScores(decisions), CHUNK)) {
            throwIfLate(signal, where);
            const details = await Promise.all(chunk.map(({ score }) => write(connection, score)));
            for (const [place, detail] of details.entries()) {
              if (detail === undefined) continue;
              refusals.push(...chunk[place]!.indexes.map((index) => ({ index, code: 'rejected', detail })));
            }
          }
          return refusals;
        } finally {
          signal.removeEventListener('abort', cut);
        }
      });
    },

    close: () => disconnect(connected),
  };
}

/** No two contents share it: an encoded customer has no colon. */
function keyOf(prefix: string, { customer, content_id }: Score): string {
  return `${prefix}${encodeURIComponent(customer)}:${content_id}`;
}

/** A hash of short values stays compact in memory, which one long JSON text among them would end. */
function fieldsOf({ scores, reasons, ...rest }: Score): string[] {
  const present = Object.entries(rest).filter((field): field is [string, string] => field[1] !== null);
  const labels = Object.entries(scores).map(([label, score]) => [`score:${label}`, String(score)]);
  return [...present, ['reasons', JSON.stringify(reasons)], ...labels].flat();
}

import { Cluster, Redis } from 'ioredis';
import type { RedisSinkConfig } from './redis-sink-config.ts';

/**
 * Writes the hash KEYS[1] unless it has the same version or a newer one. ARGV: milliseconds that it stays (0: for ever), its
 * version, then its fields, `version` among them. Versions are equally long digits, so Lua's order of texts is theirs in any
 * locale. One key, so that a cluster can place it; a script is never interrupted, so nobody sees half of a hash.
 */
const WRITE_NEWER = `
local old = redis.call('HGET', KEYS[1], 'version')
if old and old >= ARGV[2] then return 0 end
if old then redis.call('DEL', KEYS[1]) end
redis.call('HSET', KEYS[1], unpack(ARGV, 3))
if ARGV[1] ~= '0' then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return 1`;

/** A connection to a server or a cluster, used until it fails. */
export interface RedisConnection {
  /** Sends WRITE_NEWER by its hash, whole only where the server does not know it. */
  writeNewer(key: string, ttl: number, version: string, fields: readonly string[]): Promise<number>;
  del(key: string): Promise<number>;
  disconnect(): void;
}

interface Scripted {
  writeNewer(...args: readonly string[]): Promise<number>;
}

/**
 * Connects, and logs in. Nothing is tried twice here: a connection that fails ends, and what waits on it fails. Throws what the
 * client says of it.
 */
export async function connectRedis(config: RedisSinkConfig): Promise<RedisConnection> {
  const url = new URL(config.url);
  const scripts = { writeNewer: { lua: WRITE_NEWER, numberOfKeys: 1 } };
  const once = { lazyConnect: true, connectTimeout: config.connect_timeout, retryStrategy: null } as const;
  const client = config.cluster
    ? new Cluster([config.url], {
        lazyConnect: true,
        scripts,
        clusterRetryStrategy: null,
        // A cluster that moves a slot or fails over says so by errors that pass: the fan-out asks again.
        maxRedirections: 4,
        slotsRefreshTimeout: config.connect_timeout,
        redisOptions: {
          ...once,
          username: decodeURIComponent(url.username),
          password: decodeURIComponent(url.password),
          ...(url.protocol === 'rediss:' ? { tls: {} } : {}),
        },
      })
    : new Redis(config.url, { ...once, scripts, maxRetriesPerRequest: 0 });
  // The reason why a connection closed comes only as an event.
  let reason: unknown;
  client.on('error', (error: unknown) => {
    reason = error;
  });
  const explain = (error: unknown) => {
    const said = reason;
    reason = undefined;
    throw error instanceof Error && error.name === 'ReplyError' ? error : (said ?? error);
  };
  try {
    await client.connect();
    // A database that there is not: the client would go on with the first one.
    if (reason instanceof Error) throw reason;
  } catch (error) {
    client.disconnect();
    return explain(error);
  }
  return {
    writeNewer: (key, ttl, version, fields) =>
      (client as unknown as Scripted).writeNewer(key, String(ttl), version, ...fields).catch(explain),
    del: (key) => client.del(key).catch(explain),
    disconnect: () => client.disconnect(),
  };
}

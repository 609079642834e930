import { MisconfiguredError, RetryableError } from '../../errors.ts';
import { createRedis } from './redis.ts';

/**
 * Proves that Redis can keep what waits: a primary of version 6.2 or later that never evicts keys and takes writes. Resolves with
 * a warning, or undefined. Throws MisconfiguredError, or RetryableError when nobody answers.
 */
export async function checkRedis(options: {
  readonly url: string;
  readonly at: string;
  readonly prefix: string;
}): Promise<string | undefined> {
  const { at, prefix } = options;
  // Of its own: a start that fails elsewhere leaves none open.
  const redis = createRedis(options);
  try {
    await redis.ready();
    const info = new Map(
      (await redis.client.info())
        .split('\r\n')
        .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]),
    );
    const version = info.get('redis_version') ?? '';
    const [major = 0, minor = 0] = version.split('.').map(Number);
    if (major < 6 || (major === 6 && minor < 2))
      throw new MisconfiguredError(`${at} ${redis.address}: expected Redis 6.2 or newer, got ${version}`);
    const policy = info.get('maxmemory_policy');
    if (policy !== undefined && policy !== 'noeviction')
      throw new MisconfiguredError(
        `${at} ${redis.address}: expected maxmemory-policy noeviction, got ${policy}: Redis would silently drop webhooks when its memory is full`,
      );
    // It may become a primary again, or its name lead to another one.
    if (info.get('role') === 'slave')
      throw new RetryableError(
        `${at} ${redis.address}: expected a primary, got a replica, which takes no writes`,
      );
    const key = `${prefix}:check`;
    await redis.client.set(key, '1', 'PX', 1_000);
    await redis.client.publish(key, '1');
    return info.get('aof_enabled') === '0'
      ? 'appendonly is off: webhooks that wait are lost when Redis is restarted'
      : undefined;
  } catch (error) {
    throw redis.explain(error);
  } finally {
    redis.close();
  }
}

import { once } from 'node:events';
import { Redis } from 'ioredis';
import { MisconfiguredError, RetryableError, isOperational } from '../../errors.ts';
import { redisError, replyCode } from '../redis-error.ts';

/** Longest wait for a connection, and for the answer to a command, milliseconds. */
const CONNECT_TIMEOUT = 5_000;
const COMMAND_TIMEOUT = 5_000;
/** Longest wait for the server to close its end, milliseconds. */
const DISCONNECT_TIMEOUT = 100;
/** Of the client itself, when there is no connection, or nobody answers. */
const UNANSWERED = /^(Command timed out|Stream isn't writeable|The operation was aborted)/;

/** A connection to Redis that answers or fails in bounded time, whatever happens to the server. */
export interface QueueRedis {
  readonly client: Redis;
  /** `host:port`, without credentials. */
  readonly address: string;
  /** Resolves when commands can be sent; throws what {@link QueueRedis.explain} makes of the reason when they cannot. */
  ready(): Promise<void>;
  /** What a failure means: RetryableError, MisconfiguredError (credentials, permissions) or StoreError; a bug as it is. */
  explain(error: unknown): unknown;
  close(): void;
}

/**
 * A client that connects at the first {@link QueueRedis.ready} and then by itself again and again. Nothing waits for a
 * server that is away: ioredis would keep commands, and BullMQ with them, for ever. `at`: key of the configuration, for errors.
 */
export function createRedis({ url, at }: { readonly url: string; readonly at: string }): QueueRedis {
  const client = new Redis(url, {
    lazyConnect: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    connectTimeout: CONNECT_TIMEOUT,
    commandTimeout: COMMAND_TIMEOUT,
    disconnectTimeout: DISCONNECT_TIMEOUT,
    retryStrategy: (times) => Math.min(100 * times, 1_000),
    // The address may lead to another server by now.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
  });
  const address = new URL(url).host || 'localhost:6379';
  const where = `${at} ${address}`;
  const closed = new AbortController();
  // What a connection failed with comes only as an event.
  let last: Error | undefined;
  client.on('error', (error) => {
    last = error;
  });
  client.on('ready', () => {
    last = undefined;
  });

  function explain(error: unknown): unknown {
    if (isOperational(error)) return error;
    const cause = replyCode(error) === undefined ? (last ?? error) : error;
    const code = replyCode(cause) ?? '';
    const explained = redisError(cause, where);
    if (['WRONGPASS', 'NOAUTH', 'NOPERM'].includes(code) && explained instanceof Error)
      return new MisconfiguredError(explained.message, { cause });
    if (cause instanceof Error && UNANSWERED.test(cause.message))
      return new RetryableError(`${where}: ${cause.message}`, { cause });
    return explained;
  }

  async function ready(): Promise<void> {
    if (client.status === 'ready') return;
    try {
      if (client.status === 'wait' || client.status === 'end') await client.connect();
      else {
        const limit = AbortSignal.timeout(CONNECT_TIMEOUT);
        await once(client, 'ready', { signal: AbortSignal.any([limit, closed.signal]) });
      }
    } catch (error) {
      throw explain(error);
    }
  }

  function close(): void {
    closed.abort();
    client.disconnect();
  }

  return { client, address, ready, explain, close };
}

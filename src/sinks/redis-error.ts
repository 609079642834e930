import { OperationalError, RetryableError, StoreError, messageOf } from '../errors.ts';
import { TLS_ADVICE, errorCode, isNetworkError, isTlsError } from './connection-error.ts';

/** First words of replies that pass by themselves: a server that starts, fails over, or is full until somebody makes room. */
const PASSING = new Set(
  'LOADING BUSY MASTERDOWN TRYAGAIN CLUSTERDOWN READONLY NOREPLICAS OOM MISCONF UNBLOCKED'.split(' '),
);
/** ioredis's own failures of a connection have no code. */
const CLOSED =
  /^(Connection is closed|Command aborted|Reached the max retries|connect ETIMEDOUT|Failed to refresh slots|Cluster isn't ready|Too many Cluster redirections)/;
/** What ioredis's decoder says of an answer that is not in Redis's protocol. */
const FOREIGN = /^(Unknown RESP type|Protocol error)/;
const LAST_WORDS: Readonly<Record<string, string>> = {
  WRONGPASS: 'correct user and password in url',
  NOAUTH: 'put user and password into url, as redis://user:password@host',
  NOPERM: 'allow the user EVAL, EVALSHA, HGET, HSET, DEL and PEXPIRE on keys that begin with prefix',
  MOVED: 'the server is part of a cluster: set cluster: true',
  OOM: 'make room in the server, or give scores a ttl',
};

/** The first word of Redis's answer to a command, such as `NOAUTH`; undefined for what is no answer. */
export function replyCode(error: unknown): string | undefined {
  return error instanceof Error && error.name === 'ReplyError'
    ? /^[A-Z]+/.exec(error.message)?.[0]
    : undefined;
}

/**
 * What the client threw as one of ours: RetryableError for what passes by itself, StoreError for what somebody has to mend,
 * with the way out. Anything else is a bug, and returned as it is. `where` names the sink and the server.
 */
export function redisError(error: unknown, where: string): unknown {
  if (!(error instanceof Error) || error instanceof OperationalError) return error;
  const text = `${where}: ${messageOf(error)}`;
  const code = replyCode(error);
  const way = code && LAST_WORDS[code] ? `; ${LAST_WORDS[code]}` : '';
  if (code !== undefined) {
    if (PASSING.has(code)) return new RetryableError(`${text}${way}`, { cause: error });
    return new StoreError(`${text}${way}`, { cause: error });
  }
  // A proxy whose server is away answers so, too.
  if (error.name === 'ParserError' || FOREIGN.test(error.message))
    return new RetryableError(
      `${where}: expected a Redis server, got an answer in another protocol (rediss:// is for TLS)`,
      { cause: error },
    );
  // Of a cluster none of whose nodes could be asked.
  const node: unknown = Reflect.get(error, 'lastNodeError');
  if (node instanceof Error && node !== error) return redisError(node, where);
  if (isTlsError(error))
    return new StoreError(`${text} (${errorCode(error)}); ${TLS_ADVICE}`, { cause: error });
  if (isNetworkError(error) || CLOSED.test(error.message)) return new RetryableError(text, { cause: error });
  return error;
}

import { MisconfiguredError, RetryableError, isOperational } from '../errors.ts';

/** Codes of Node (libuv, its HTTP parser, its streams) for a connection that is not made, or breaks. */
const NETWORK =
  /^(ECONN\w+|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOST\w+|ENET\w+|EADDRNOTAVAIL|HPE_\w+|ERR_STREAM_\w+|ERR_SOCKET\w+)$/;
/** Codes of OpenSSL and Node. EPROTO: the other end speaks no TLS, or none that both know. */
const TLS = /CERT|SELF_SIGNED|UNABLE_TO_|^EPROTO$|^ERR_TLS|^ERR_SSL/;

/** The way out of most failures of {@link isTlsError}. */
export const TLS_ADVICE = "name a private authority's certificate in NODE_EXTRA_CA_CERTS";

/** Whether a connection failed in a way that passes by itself: nobody listens, a name is not known yet, a cut. */
export function isNetworkError(error: unknown): boolean {
  return NETWORK.test(errorCode(error));
}

/** Whether the other end could not prove who it is, or speaks no TLS: somebody has to mend that. */
export function isTlsError(error: unknown): boolean {
  return TLS.test(errorCode(error));
}

/** What Node, or a server's client, gives an error as `code`; empty where that is none. */
export function errorCode(error: unknown): string {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined;
  return typeof code === 'string' ? code : '';
}

/** Throws RetryableError when nobody waits any more: the next attempt begins where this one ends. `where` names the server. */
export function throwIfLate(signal: AbortSignal, where: string): void {
  if (signal.aborted)
    throw new RetryableError(`${where}: expected to be done in time, was not`, { cause: signal.reason });
}

/**
 * What a sink's `check` throws for a failure: RetryableError, MisconfiguredError and bugs as they are, all other errors of ours
 * as MisconfiguredError, since a start can mend nothing.
 */
export function checkError(error: unknown): unknown {
  if (!isOperational(error) || error instanceof RetryableError || error instanceof MisconfiguredError)
    return error;
  return new MisconfiguredError(error.message, { cause: error });
}

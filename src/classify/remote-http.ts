import { Agent, request } from 'undici';
import pRetry from 'p-retry';
import { MisconfiguredError, UnavailableError, messageOf } from '../errors.ts';
import type { RemoteConfig } from './remote-config.ts';

/** Waits between attempts: the first, and the longest, also of what `retry-after` asks for. */
const FIRST_WAIT = 100;
const LONGEST_WAIT = 5_000;
/** Scores are small; more than this is no answer of a classifier. */
const LARGEST_ANSWER = 64 * 1024 ** 2;
/** Statuses that pass by themselves: too slow, too early, too many, a gateway without its server (RFC 9110, RFC 6585, RFC 8470). */
const PASSING = new Set([408, 425, 429, 502, 503, 504]);

/** An answer with status 200. */
export interface RemoteAnswer {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** A body: text as JSON, bytes with the headers that say what they are. */
export interface RemoteBody {
  readonly content: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The server answered, and not with 200: the texts, the model, or the server may be at fault. Never leaves the classifier. */
export class RefusedError extends Error {
  override name = 'RefusedError';
  readonly status: number;

  constructor(message: string, status: number) {
    super(message);
    this.status = status;
  }
}

/** Requests to one server. */
export interface RemoteServer {
  /** Its address without a slash at the end, for errors. */
  readonly url: string;
  /**
   * GET, or POST with a body. What passes by itself (no connection, no answer in time, status 429 or 503 …) is tried again until
   * `signal` aborts; then UnavailableError says the last failure. Throws MisconfiguredError when the server does not let us in,
   * RefusedError for every other status than 200.
   */
  ask(path: string, signal: AbortSignal, body?: RemoteBody): Promise<RemoteAnswer>;
  close(): Promise<void>;
}

/** Opens connections as they are needed, and keeps them. */
export function createRemoteServer(config: RemoteConfig): RemoteServer {
  const url = config.url.replace(/\/+$/, '');
  const agent = new Agent({
    connections: config.concurrency,
    pipelining: 1,
    connect: { timeout: config.time_limit },
    maxResponseSize: LARGEST_ANSWER,
    headersTimeout: 0,
    bodyTimeout: 0,
  });

  async function once(
    path: string,
    signal: AbortSignal,
    body: RemoteBody | undefined,
  ): Promise<RemoteAnswer> {
    const where = `${url}${path}`;
    const limit = AbortSignal.timeout(config.time_limit);
    let status: number;
    let answer: RemoteAnswer;
    try {
      const response = await request(where, {
        dispatcher: agent,
        method: body ? 'POST' : 'GET',
        headers: { 'content-type': 'application/json', ...config.headers, ...body?.headers },
        ...(body ? { body: body.content } : {}),
        signal: AbortSignal.any([signal, limit]),
      });
      status = response.statusCode;
      answer = { headers: response.headers, body: Buffer.from(await response.body.arrayBuffer()) };
    } catch (error) {
      const late = `no answer within ${config.time_limit / 1000} s`;
      throw new UnavailableError(`${where}: ${limit.aborted ? late : messageOf(error) || codeOf(error)}`, {
        cause: error,
      });
    }
    if (status === 200) return answer;
    throw failureOf(where, status, answer);
  }

  return {
    url,
    async ask(path, signal, body) {
      let last: Error | undefined;
      try {
        return await pRetry(() => once(path, signal, body), {
          retries: Infinity,
          minTimeout: FIRST_WAIT,
          maxTimeout: LONGEST_WAIT,
          randomize: true,
          signal,
          shouldRetry({ error }) {
            if (signal.aborted || !(error instanceof UnavailableError)) return false;
            last = error;
            return true;
          },
          onFailedAttempt: ({ error }) => waitAsAsked(error, signal),
        });
      } catch (error) {
        // Aborted in an attempt, or between two: what the attempts before met says more.
        if (!signal.aborted) throw error;
        throw last ?? new UnavailableError(`${url}${path}: ${messageOf(error)}`, { cause: error });
      }
    },
    close: () => agent.destroy(),
  };
}

function failureOf(where: string, status: number, { headers, body }: RemoteAnswer): Error {
  const text = `${where}: status ${status}: ${beginningOf(body)}`;
  if (PASSING.has(status)) return new UnavailableError(text, { cause: headers['retry-after'] });
  if (status === 401 || status === 403 || status === 407)
    return new MisconfiguredError(`${text}; correct the headers of the model, such as authorization`);
  if (status >= 300 && status < 400)
    return new MisconfiguredError(`${where}: expected an answer, got a redirection (${status}); correct url`);
  return new RefusedError(text, status);
}

/** Waits what `retry-after` asks for, in seconds (RFC 9110, section 10.2.3; dates are not in use here), beside the usual wait. */
async function waitAsAsked(error: Error, signal: AbortSignal): Promise<void> {
  const seconds = typeof error.cause === 'string' ? Number(error.cause) : NaN;
  if (!(seconds > 0)) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, Math.min(seconds * 1000, LONGEST_WAIT));
  signal.addEventListener('abort', () => resolve(), { once: true });
  await promise;
  clearTimeout(timer);
}

/** The beginning of an answer, for errors. */
export function beginningOf(body: Buffer): string {
  return body.toString('utf8', 0, 300).replaceAll(/\s+/g, ' ').trim();
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : 'no connection';
}

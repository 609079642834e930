import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { OperationalError, RetryableError, StoreError, messageOf } from '../errors.ts';
import { TLS_ADVICE, errorCode, isTlsError } from './connection-error.ts';
import type { ElasticsearchSinkConfig } from './elasticsearch-sink-config.ts';

const compress = promisify(gzip);

const CHECK_MILLIS = 10_000;

/** One answer; `json` is undefined where the text is none. */
interface ElasticsearchAnswer {
  readonly status: number;
  readonly json: unknown;
  /** The beginning of the answer, for errors. */
  readonly beginning: string;
}

/** Asks the server: `body` is sent as newline-delimited JSON. */
type AskElasticsearch = (
  method: 'GET' | 'POST',
  path: string,
  options?: { readonly body?: string; readonly signal?: AbortSignal },
) => Promise<ElasticsearchAnswer>;

/**
 * Requests to a node. Throws RetryableError when it does not answer or says that it cannot now, StoreError when it does not know
 * the user or sends elsewhere; all other answers are the caller's to judge. `at` is the sink's key in the configuration.
 */
export function connectElasticsearch(config: ElasticsearchSinkConfig, at: string): AskElasticsearch {
  const root = config.url.replace(/\/+$/, '');
  const headers: Record<string, string> = { accept: 'application/json', ...authorization(config) };

  return async (method, path, { body, signal = AbortSignal.timeout(CHECK_MILLIS) } = {}) => {
    const where = `${at}: ${root}${path.split('?')[0]!}`;
    try {
      const response = await fetch(`${root}${path}`, {
        method,
        signal,
        // Never followed: the credentials would go along.
        redirect: 'manual',
        headers: {
          ...headers,
          ...(body === undefined ? {} : { 'content-type': 'application/x-ndjson' }),
          ...(body !== undefined && config.gzip ? { 'content-encoding': 'gzip' } : {}),
        },
        ...(body === undefined ? {} : { body: config.gzip ? await compress(body, { level: 1 }) : body }),
      });
      return judgeAnswer(where, response.status, await response.text());
    } catch (error) {
      if (error instanceof OperationalError) throw error;
      throw connectionError(where, error, signal);
    }
  };
}

function judgeAnswer(where: string, status: number, text: string): ElasticsearchAnswer {
  const beginning = text.slice(0, 300).replaceAll(/\s+/g, ' ');
  if (status === 429 || status >= 500) throw new RetryableError(`${where}: status ${status}: ${beginning}`);
  if (status === 401)
    throw new StoreError(`${where}: status 401: ${beginning}; correct username and password, or api_key`);
  if (status >= 300 && status < 400)
    throw new StoreError(`${where}: expected an answer, got a redirection (${status}); correct url`);
  return { status, json: parsed(text), beginning };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function authorization({ username, password, api_key }: ElasticsearchSinkConfig): Record<string, string> {
  if (api_key !== undefined) return { authorization: `ApiKey ${api_key}` };
  if (username === undefined) return {};
  return { authorization: `Basic ${Buffer.from(`${username}:${password ?? ''}`).toString('base64')}` };
}

/** fetch says of each failure of a connection `fetch failed`, and why in the cause. */
function connectionError(where: string, error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return new RetryableError(`${where}: no answer in time`, { cause: error });
  if (!(error instanceof TypeError)) return error;
  const { cause } = error;
  const code = errorCode(cause);
  const reason = cause instanceof Error && cause.message !== '' ? cause.message : messageOf(error);
  const text = `${where}: ${reason}${code ? ` (${code})` : ''}`;
  if (!isTlsError(cause)) return new RetryableError(text, { cause: error });
  return new StoreError(`${text}; ${TLS_ADVICE}`, { cause: error });
}

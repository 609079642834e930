import { request, type Dispatcher } from 'undici';
import { messageOf } from '../../errors.ts';

/** What came back of one request. */
export interface Answer {
  /** Null when there was none. */
  readonly status: number | null;
  /** Milliseconds until the status was known, or the failure. */
  readonly took: number;
  /** Why there was no answer: `ECONNREFUSED`, `timeout` … and a sentence. */
  readonly error?: { readonly code: string; readonly detail: string };
  /** The Retry-After header. */
  readonly retryAfter?: string;
  /** The beginning of the body. It is the receiver's: shown to an operator who asks, never logged. */
  readonly text: string;
}

/** Most of a body that is read; the connection is closed on the rest. */
const BODY_BYTES = 64 * 1024;
/** How long a body may take once the status is known, milliseconds: nobody waits for what is not used. */
const BODY_MILLIS = 1_000;

/**
 * Sends one request and never throws: what fails is an answer too. `timeout` (milliseconds) is for everything from the look-up of
 * the name to the status. When `signal` is aborted the answer has the error code `aborted`.
 */
export async function post(options: {
  readonly url: string;
  readonly dispatcher: Dispatcher;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly timeout: number;
  readonly signal: AbortSignal;
}): Promise<Answer> {
  const { url, dispatcher, headers, body, timeout, signal } = options;
  const started = performance.now();
  const over = new AbortController();
  const stop = () => over.abort();
  signal.addEventListener('abort', stop, { once: true });
  const timer = setTimeout(stop, timeout);
  try {
    if (signal.aborted) stop();
    const answer = await request(url, { method: 'POST', dispatcher, headers, body, signal: over.signal });
    const took = performance.now() - started;
    const retryAfter = [answer.headers['retry-after']].flat()[0];
    const text = await beginning(answer.body);
    return { status: answer.statusCode, took, text, ...(retryAfter === undefined ? {} : { retryAfter }) };
  } catch (error) {
    const took = performance.now() - started;
    return {
      status: null,
      took,
      text: '',
      error: failureOf(error, { timeout, stopped: signal.aborted, late: over.signal.aborted }),
    };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
}

/** The first bytes of a body, as text; what it fails with afterwards does not matter any more. */
async function beginning(body: Dispatcher.ResponseData['body']): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  const read = async () => {
    for await (const part of body as AsyncIterable<Buffer>) {
      parts.push(part);
      bytes += part.length;
      if (bytes >= BODY_BYTES) return;
    }
  };
  const late = setTimeout(() => body.destroy(), BODY_MILLIS);
  try {
    await read();
  } catch {
    // The status is what counts.
  } finally {
    clearTimeout(late);
    body.on('error', () => undefined);
    body.destroy();
  }
  return Buffer.concat(parts).subarray(0, BODY_BYTES).toString();
}

function failureOf(
  error: unknown,
  { timeout, stopped, late }: { readonly timeout: number; readonly stopped: boolean; readonly late: boolean },
): { code: string; detail: string } {
  if (stopped) return { code: 'aborted', detail: 'Sluice was stopped before there was an answer' };
  if (late) return { code: 'timeout', detail: `expected an answer within ${timeout / 1000} s, got none` };
  // Several addresses were tried: the first failure is as good as any.
  const cause: unknown = error instanceof AggregateError ? (error.errors[0] ?? error) : error;
  const code: unknown = cause instanceof Error ? Reflect.get(cause, 'code') : undefined;
  const name = cause instanceof Error ? cause.name : 'failed';
  return { code: typeof code === 'string' ? code : name, detail: messageOf(cause) };
}

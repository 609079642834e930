import type { IncomingMessage } from 'node:http';
import { HttpRefusal } from './http-refusal.ts';

/** `application/json` or `application/…+json`, in UTF-8. */
const JSON_TYPE = /^application\/(?:[a-z0-9.+-]+\+)?json *(?:; *charset="?utf-8"? *)?$/i;

/** Whoever sent the request is gone; there is nobody to answer. */
export class ClientGoneError extends Error {
  override name = 'ClientGoneError';
}

/**
 * Reads the body of a request that says it is JSON. Throws HttpRefusal: 415 for another type or a coding, 413 as soon as it is
 * known to be longer than `limit` bytes: by its Content-Length before anything is read, else while it is. ClientGoneError when
 * it breaks off.
 */
export async function readBytes(request: IncomingMessage, limit: number): Promise<Uint8Array> {
  const { 'content-type': type, 'content-encoding': coding, 'content-length': length } = request.headers;
  if (type === undefined || !JSON_TYPE.test(type))
    throw new HttpRefusal(415, ['Header Content-Type was not application/json.']);
  if (coding !== undefined && coding.toLowerCase() !== 'identity')
    throw new HttpRefusal(415, ['Header Content-Encoding was not identity.']);
  const tooLong = () => new HttpRefusal(413, [`The body was longer than ${limit} bytes.`]);
  if (Number(length ?? 0) > limit) throw tooLong();
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    // The connection must stay: the refusal goes out on it.
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > limit) throw tooLong();
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof HttpRefusal) throw error;
    throw new ClientGoneError('the body broke off', { cause: error });
  }
  return Buffer.concat(chunks, size);
}

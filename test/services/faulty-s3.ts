import { createServer, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** A request on its way to the server. */
export interface ProxiedRequest {
  /** Operation of the S3 API, such as `UploadPart`; for what this proxy does not know, the method. */
  readonly operation: string;
  readonly method: string;
  /** Path and query, as sent. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  /** How many requests of this operation came before it. */
  readonly earlier: number;
}

/** What is done to a request instead of passing it on; the kinds exclude each other. */
export type Fault =
  /** Answers in the server's place. `code` makes an S3 error document; `body` is sent as it is. */
  | {
      readonly status: number;
      readonly code?: string;
      readonly message?: string;
      readonly body?: string;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** Passes it on after so many milliseconds. */
  | { readonly delay: number }
  /** Never answers; `after`: the server has done its work. */
  | { readonly hang: 'before' | 'after' }
  /** Resets the connection; `after`: the server has done its work. */
  | { readonly cut: 'before' | 'after' }
  /** Passes it on and sends so many bytes of the answer's body, then resets the connection. */
  | { readonly truncate: number };

/** A proxy before an S3 server whose behaviour tests choose. */
export interface FaultyS3 {
  /** `http://127.0.0.1:PORT`, to be used as the endpoint. */
  readonly url: string;
  /** All requests so far, in order of arrival. */
  readonly requests: readonly ProxiedRequest[];
  /** From now on the rule decides for each request; undefined (also as its answer): pass on. */
  set(rule?: (request: ProxiedRequest) => Fault | undefined): void;
  close(): Promise<void>;
}

/** Starts a proxy that passes requests to `target` untouched, signatures included, except where a rule says otherwise. */
export async function startFaultyS3(target: string): Promise<FaultyS3> {
  const { hostname, port } = new URL(target);
  const requests: ProxiedRequest[] = [];
  const counts = new Map<string, number>();
  let rule: ((request: ProxiedRequest) => Fault | undefined) | undefined;

  const server = createServer((incoming, outgoing) => {
    const { method = 'GET', url = '/', headers } = incoming;
    const operation = operationOf(method, url, headers);
    const earlier = counts.get(operation) ?? 0;
    counts.set(operation, earlier + 1);
    const seen: ProxiedRequest = { operation, method, url, headers, earlier };
    requests.push(seen);
    const fault = rule?.(seen) ?? { delay: 0 };

    const pass = async () => {
      if ('delay' in fault && fault.delay > 0) await delay(fault.delay);
      const upstream = httpRequest({ hostname, port, method, path: url, headers }, (answer) => {
        if ('cut' in fault || 'hang' in fault) {
          answer.resume();
          answer.on('end', () => {
            if ('cut' in fault) incoming.socket.resetAndDestroy();
          });
          return;
        }
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        if (!('truncate' in fault)) {
          answer.pipe(outgoing);
          return;
        }
        let left = fault.truncate;
        outgoing.flushHeaders();
        answer.on('data', (chunk: Buffer) => {
          if (left > 0) outgoing.write(chunk.subarray(0, left));
          left -= chunk.length;
        });
        answer.on('end', () => incoming.socket.resetAndDestroy());
      });
      // A server that was killed looks the same from here as from the other side.
      upstream.on('error', () => incoming.socket.destroy());
      incoming.pipe(upstream);
    };

    if ('status' in fault) {
      // The request is read to its end first, or the client would see its own write fail.
      incoming.resume();
      incoming.on('end', () => {
        const body = fault.body ?? (fault.code ? errorDocument(fault.code, fault.message ?? '') : '');
        outgoing.writeHead(fault.status, {
          'content-type': 'application/xml',
          'x-amz-request-id': 'FAULT',
          ...fault.headers,
        });
        outgoing.end(method === 'HEAD' ? undefined : body);
      });
    } else if ('cut' in fault && fault.cut === 'before') {
      incoming.resume();
      incoming.on('end', () => incoming.socket.resetAndDestroy());
    } else if ('hang' in fault && fault.hang === 'before') {
      incoming.resume();
    } else {
      void pass();
    }
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    set: (next) => {
      rule = next;
    },
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** An error of the S3 API, as its server sends it. */
export function errorDocument(code: string, message: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message><RequestId>FAULT</RequestId></Error>`;
}

/** The operation of a path-style request (Amazon S3 API reference), of those that the store uses. */
function operationOf(method: string, url: string, headers: IncomingHttpHeaders): string {
  const { pathname, searchParams } = new URL(url, 'http://s3');
  const ofObject = pathname.split('/').filter(Boolean).length > 1;
  const has = (name: string) => searchParams.has(name);
  switch (method) {
    case 'POST':
      return has('uploads') ? 'CreateMultipartUpload' : has('uploadId') ? 'CompleteMultipartUpload' : method;
    case 'PUT':
      if (has('partNumber')) return 'UploadPart';
      if (!ofObject) return 'CreateBucket';
      return headers['x-amz-copy-source'] === undefined ? 'PutObject' : 'CopyObject';
    case 'DELETE':
      if (has('uploadId')) return 'AbortMultipartUpload';
      return ofObject ? 'DeleteObject' : 'DeleteBucket';
    case 'HEAD':
      return ofObject ? 'HeadObject' : 'HeadBucket';
    case 'GET':
      if (has('uploads')) return 'ListMultipartUploads';
      if (has('uploadId')) return 'ListParts';
      return ofObject ? 'GetObject' : 'ListObjectsV2';
    default:
      return method;
  }
}

import type { Decision } from '../decision.ts';
import { indexOf } from './elasticsearch-index.ts';
import type { Refusal } from './sink.ts';

/** One bulk request: newline-delimited JSON, two lines for each document. */
export interface BulkRequest {
  readonly lines: readonly string[];
  /** Index in the batch of each document. */
  readonly indexes: readonly number[];
}

/** What a bulk request is answered for one document, filtered by BULK_PATH. */
export interface BulkItem {
  readonly index?: {
    readonly status?: number;
    readonly error?: { readonly type?: string; readonly reason?: string };
  };
}

/** Path of bulk requests; of the answer only what is looked at: else it is larger than the request. */
export const BULK_PATH = '/_bulk?filter_path=items.*.status,items.*.error.type,items.*.error.reason';

/** Refused for what is in the document; other errors of status 400 are for somebody to mend, such as a limit of shards. */
const REFUSED = new Set([
  'mapper_parsing_exception',
  'document_parsing_exception',
  'strict_dynamic_mapping_exception',
  'max_bytes_length_exceeded_exception',
  'illegal_argument_exception',
]);

/** A batch in requests of at most `maxBytes`; a larger document goes alone. The id is the decision's: a repeat overwrites. */
export function bulkRequests(
  decisions: readonly Decision[],
  { index: pattern, maxBytes }: { readonly index: string; readonly maxBytes: number },
): BulkRequest[] {
  const requests: { lines: string[]; indexes: number[] }[] = [];
  let bytes = Infinity;
  for (const [index, decision] of decisions.entries()) {
    const action = JSON.stringify({ index: { _index: indexOf(pattern, decision), _id: decision.id } });
    const document = JSON.stringify(decision);
    const size = Buffer.byteLength(action) + Buffer.byteLength(document) + 2;
    if (bytes + size > maxBytes) {
      requests.push({ lines: [], indexes: [] });
      bytes = 0;
    }
    bytes += size;
    const current = requests.at(-1)!;
    current.lines.push(action, document);
    current.indexes.push(index);
  }
  return requests;
}

/** Both halves of a request of two documents or more. */
export function halves({ lines, indexes }: BulkRequest): [BulkRequest, BulkRequest] {
  const half = Math.ceil(indexes.length / 2);
  return [
    { lines: lines.slice(0, 2 * half), indexes: indexes.slice(0, half) },
    { lines: lines.slice(2 * half), indexes: indexes.slice(half) },
  ];
}

/** What the answers for a request's documents come to: refusals, and the first reason of each other kind. */
export interface BulkVerdict {
  readonly refusals: readonly Refusal[];
  /** Why the call is to be made again: a full queue, a shard that is away. */
  readonly retry?: string;
  /** Why somebody must mend something first. */
  readonly stop?: string;
}

/** Judges the answers for the documents of a request, in its order. */
export function judge(indexes: readonly number[], items: readonly BulkItem[]): BulkVerdict {
  const refusals: Refusal[] = [];
  let retry: string | undefined;
  let stop: string | undefined;
  for (const [place, { index: answer }] of items.entries()) {
    const { status = 0, error } = answer ?? {};
    if (status >= 200 && status < 300) continue;
    const detail = `${error?.type ?? 'no type'} (${status}): ${error?.reason ?? 'no reason'}`;
    if (status === 429 || status >= 500) retry ??= detail;
    else if (REFUSED.has(error?.type ?? '')) {
      // A preview of the field's value may follow, which can be somebody's text.
      const cause = detail.replace(/\. Preview of field's value:[^]*$/, '');
      refusals.push({ index: indexes[place]!, code: 'rejected', detail: cause });
    } else stop ??= detail;
  }
  return { refusals, ...(retry === undefined ? {} : { retry }), ...(stop === undefined ? {} : { stop }) };
}

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
    readonly error?: {
      readonly type?: string;
      readonly reason?: string;
      readonly caused_by?: { readonly reason?: string };
    };
  };
}

/** Path of bulk requests; of the answer only what is looked at: else it is larger than the request. */
export const BULK_PATH = `/_bulk?filter_path=${['status', 'error.type', 'error.reason', 'error.caused_by.reason'].map((name) => `items.*.${name}`).join()}`;

/** Refused for what is in the document; other errors of status 400 are for somebody to mend, such as a limit of shards. */
const REFUSED = new Set([
  'mapper_parsing_exception',
  'document_parsing_exception',
  'strict_dynamic_mapping_exception',
  'max_bytes_length_exceeded_exception',
]);
/** An illegal_argument_exception is one of settings (no write index, no pipeline), all but this one. */
const REFUSED_REASON = /^Document contains at least one immense term/;
/**
 * The index is full, for all documents to come, whichever error that is wrapped in. At the beginning only: further on stands
 * what somebody wrote, who must not be able to stop everything by it.
 */
const LIMIT = /^(?:\[\d+:\d+\] failed to parse: )?(Limit of [a-z ]+\[\d+\].*?has been exceeded)/;
/** What follows may be somebody's text, as it is or by its bytes. */
const CONTENT = /\. Preview of field's value:[^]*$|The prefix of the first immense term is:[^]*$/;

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
interface BulkVerdict {
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
    const reason = error?.reason ?? 'no reason';
    const detail = `${error?.type ?? 'no type'} (${status}): ${reason.replace(CONTENT, '').trimEnd()}`;
    // Causes are looked at for this only: they, too, have texts in them.
    const limit = LIMIT.exec(reason) ?? LIMIT.exec(error?.caused_by?.reason ?? '');
    if (status === 429 || status >= 500) retry ??= detail;
    else if (limit) stop ??= detail.includes(limit[1]!) ? detail : `${detail}: ${limit[1]}`;
    else if (REFUSED.has(error?.type ?? '') || REFUSED_REASON.test(reason))
      refusals.push({ index: indexes[place]!, code: 'rejected', detail });
    else stop ??= detail;
  }
  return { refusals, ...(retry === undefined ? {} : { retry }), ...(stop === undefined ? {} : { stop }) };
}

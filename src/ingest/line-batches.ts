import { Buffer } from 'node:buffer';
import type { RawBatch } from '../types.ts';

const NEWLINE = 10;
const RETURN = 13;
/** Most bytes that are kept of a line above the limit. */
const MAX_KEPT = 1024 ** 2;

/** The part of a RawBatch that lines make up. */
export type LineBatch = Pick<RawBatch, 'rows' | 'bytes' | 'starts' | 'ends' | 'truncated'>;

/** Limits of {@link createLineBatches}; see the source's configuration. */
export interface LineLimits {
  readonly batchMessages: number;
  readonly batchBytes: number;
  readonly maxLineBytes: number;
}

/** Cuts a stream of chunks into batches of lines. Chunks must not change after they are pushed. */
export interface LineBatches {
  /** Adds a chunk; returns the batches that are full. */
  push(chunk: Buffer): LineBatch[];
  /** The complete lines that are left. With `last`, also what follows the last newline, as a line. */
  flush(last: boolean): LineBatch[];
  /** Lines to be skipped that have not come; an unfinished one counts as come. */
  missing(): number;
}

/**
 * Makes the cutter; it leaves out the first `skip` lines. Lines end with `\n` or `\r\n`, which no value includes. A line
 * longer than `maxLineBytes` is cut to its beginning as it comes in, so memory stays bounded.
 */
export function createLineBatches(limits: LineLimits, skip = 0): LineBatches {
  const { batchMessages, batchBytes, maxLineBytes } = limits;
  const kept = Math.min(maxLineBytes, MAX_KEPT);
  let toSkip = skip;
  /** Parts of chunks that make up the complete lines of the batch, newlines included. */
  let segments: Buffer[] = [];
  let size = 0;
  let starts: number[] = [];
  let ends: number[] = [];
  let truncated: Record<number, number> | undefined;
  /** Parts of the unfinished line, and its size so far, of which some may not be kept. */
  let partial: Buffer[] = [];
  let partialSize = 0;
  let partialKept = 0;

  function take(): LineBatch | null {
    if (starts.length === 0) return null;
    const bytes = new Uint8Array(size);
    let at = 0;
    for (const segment of segments) {
      bytes.set(segment, at);
      at += segment.length;
    }
    const batch: LineBatch = {
      rows: starts.length,
      bytes,
      starts: Uint32Array.from(starts),
      ends: Uint32Array.from(ends),
      ...(truncated && { truncated }),
    };
    segments = [];
    size = 0;
    starts = [];
    ends = [];
    truncated = undefined;
    return batch;
  }

  /** Whether the batch has no room for one more line of so many bytes. */
  const isFull = (bytes: number) =>
    starts.length >= batchMessages || (starts.length > 0 && size + bytes > batchBytes);

  function hold(part: Buffer): void {
    partialSize += part.length;
    if (toSkip > 0 || part.length === 0) return;
    partial.push(part);
    partialKept += part.length;
    if (partialSize <= maxLineBytes) return;
    const beginning = Buffer.concat(partial, Math.min(kept, partialKept));
    partial = [beginning];
    partialKept = beginning.length;
  }

  /** Ends the unfinished line; its newline is not in `partial`. */
  function finish(full: LineBatch[]): void {
    if (toSkip > 0) {
      toSkip--;
    } else {
      if (isFull(partialKept)) full.push(take()!);
      const isCut = partialKept < partialSize;
      if (isCut) truncated = { ...truncated, [starts.length]: partialSize };
      starts.push(size);
      segments.push(...partial);
      size += partialKept;
      ends.push(isCut || partialKept === 0 ? size : size - (endsWithReturn(partial) ? 1 : 0));
    }
    partial = [];
    partialSize = 0;
    partialKept = 0;
  }

  /** Lines that lie whole in a chunk, the usual case: only their places are noted, and one segment for all of them. */
  function addWhole(chunk: Buffer, from: number, full: LineBatch[]): number {
    let segmentStart = from;
    let start = from;
    const close = () => {
      if (start > segmentStart) segments.push(chunk.subarray(segmentStart, start));
      segmentStart = start;
    };
    for (let end = chunk.indexOf(NEWLINE, start); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      const length = end - start;
      if (length > maxLineBytes) break;
      if (isFull(length)) {
        close();
        full.push(take()!);
      }
      starts.push(size);
      ends.push(size + length - (length > 0 && chunk[end - 1] === RETURN ? 1 : 0));
      size += length + 1;
      start = end + 1;
    }
    close();
    return start;
  }

  return {
    push(chunk) {
      const full: LineBatch[] = [];
      let start = 0;
      while (start < chunk.length) {
        if (partialSize === 0 && toSkip === 0) start = addWhole(chunk, start, full);
        const end = chunk.indexOf(NEWLINE, start);
        hold(chunk.subarray(start, end < 0 ? chunk.length : end));
        if (end < 0) break;
        finish(full);
        start = end + 1;
      }
      return full;
    },
    flush(last) {
      const batches: LineBatch[] = [];
      if (last && partialSize > 0) finish(batches);
      const rest = take();
      return rest ? [...batches, rest] : batches;
    },
    missing: () => toSkip - (partialSize > 0 ? 1 : 0),
  };
}

function endsWithReturn(parts: readonly Buffer[]): boolean {
  return parts.at(-1)!.at(-1) === RETURN;
}

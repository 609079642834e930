import type { FlushReason } from '../types.ts';
import type { ArchiveConfig } from './config.ts';

/** What is buffered, as far as rotation cares. */
export interface Fill {
  /** Bytes of buffers that a flush would write. */
  readonly bytes: number;
  readonly rows: number;
  /** When the oldest buffered batch was added, milliseconds; undefined when there is none. */
  readonly since: number | undefined;
  /** Bytes of buffers that a flush under way still holds. */
  readonly sealedBytes: number;
}

/**
 * Why a flush is due now, or undefined. A due flush by `memory` counts what an earlier flush still holds as well, so that
 * buffers stop growing while they are written.
 */
export function dueReason(
  fill: Fill,
  { rotate, memory }: Pick<ArchiveConfig, 'rotate' | 'memory'>,
  now: number,
): FlushReason | undefined {
  if (fill.since === undefined) return undefined;
  if (fill.bytes >= rotate.bytes) return 'bytes';
  if (fill.rows >= rotate.rows) return 'rows';
  if (fill.bytes + fill.sealedBytes >= memory) return 'memory';
  if (now - fill.since >= rotate.age) return 'age';
  return undefined;
}

/** Milliseconds until a flush is due by age; undefined when nothing is buffered. */
export function dueIn(
  fill: Fill,
  { rotate }: Pick<ArchiveConfig, 'rotate'>,
  now: number,
): number | undefined {
  return fill.since === undefined ? undefined : Math.max(0, fill.since + rotate.age - now);
}

/** Whether another batch may be buffered: what is buffered and what is being written is within the memory budget. */
export function hasRoom(fill: Fill, { memory }: Pick<ArchiveConfig, 'memory'>): boolean {
  return fill.bytes + fill.sealedBytes < memory;
}

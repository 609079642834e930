import { stat } from 'node:fs/promises';
import { InputError } from '../errors.ts';
import type { FileSourceConfig } from './config.ts';
import { isRemote, readFailure, STDIN } from './inputs.ts';
import { createLineBatches, type LineBatches } from './line-batches.ts';

/** One input of a file source while it is read. */
export interface FileLane {
  /** Real path, `s3://` address, or `-`. */
  readonly path: string;
  readonly partition: number;
  readonly lines: LineBatches;
  /** Offset of the next line or row to hand over. */
  next: number;
  /** Bytes of the file (compressed or plain) that were read, and its size as last seen. */
  read: number;
  size: number;
  kind: 'gzip' | 'plain' | 'parquet' | 'unknown';
  failure: InputError | null;
}

/** A lane that begins at `offset`. */
export function laneOf(
  { path, partition, offset }: { readonly path: string; readonly partition: number; readonly offset: number },
  config: FileSourceConfig,
): FileLane {
  const lines = createLineBatches(
    {
      batchMessages: config.batch_messages,
      batchBytes: config.batch_bytes,
      maxLineBytes: config.max_line_bytes,
    },
    path === STDIN ? 0 : offset,
  );
  return { path, partition, lines, next: offset, read: 0, size: 0, kind: 'unknown', failure: null };
}

/** Whether nothing comes behind the end of what was read: only plain files that lie here grow. */
export function isWhole({ path, kind }: FileLane): boolean {
  return kind === 'gzip' || kind === 'parquet' || path === STDIN || isRemote(path);
}

/** Notes a file's size; a file that lost bytes that were read, or is gone, fails its lane. */
export async function measure(lane: FileLane): Promise<void> {
  if (lane.path === STDIN || isRemote(lane.path)) return;
  try {
    lane.size = (await stat(lane.path)).size;
    if (lane.size < lane.read) {
      lane.failure = new InputError(
        `${lane.path}: expected a file that only grows, got one that was cut or replaced`,
      );
    }
  } catch (error) {
    lane.failure = readFailure(lane.path, error);
  }
}

import type { Buffer } from 'node:buffer';
import type { Partition } from '../types.ts';
import type { AbortedTransaction } from './record-sets.ts';

/** What a Fetch response says of one partition. */
export interface FetchedPartition extends Partition {
  /** 0 where all is well. */
  readonly errorCode: number;
  /** Offset after the last record that may be read with read_committed. */
  readonly lastStableOffset: number;
  readonly aborted: readonly AbortedTransaction[];
  /** The record batches as the log keeps them, undecoded; see record-sets.ts. */
  readonly records: Buffer;
}

/**
 * Reads a Fetch response of version 4 to 11 (Kafka protocol, "Fetch API"). kafkajs's own way decodes every record to an
 * object, which costs ten times as much as everything else on the way.
 */
export function decodeFetchResponse(bytes: Buffer, version: number): FetchedPartition[] {
  if (version < 4) throw new Error(`expected brokers of Kafka 0.11 or later, got Fetch version ${version}`);
  // Throttle time; since version 7 an error code and a session id.
  let at = version >= 7 ? 10 : 4;

  function int32(): number {
    at += 4;
    return bytes.readInt32BE(at - 4);
  }

  function int64(): bigint {
    at += 8;
    return bytes.readBigInt64BE(at - 8);
  }

  function array<Entry>(read: () => Entry): Entry[] {
    // Null is -1.
    return Array.from({ length: Math.max(0, int32()) }, read);
  }

  function part(length: number): Buffer {
    at += Math.max(0, length);
    return bytes.subarray(at - Math.max(0, length), at);
  }

  function partitionOf(topic: string): FetchedPartition {
    const partition = int32();
    at += 2;
    const errorCode = bytes.readInt16BE(at - 2);
    // High watermark.
    at += 8;
    const lastStableOffset = Number(int64());
    // Start of the log.
    if (version >= 5) at += 8;
    const aborted = array(() => ({ producerId: int64(), firstOffset: Number(int64()) }));
    // Preferred replica: only given to consumers with a rack.
    if (version >= 11) at += 4;
    return { topic, partition, errorCode, lastStableOffset, aborted, records: part(int32()) };
  }

  return array(() => {
    at += 2;
    const topic = part(bytes.readInt16BE(at - 2)).toString();
    return array(() => partitionOf(topic));
  }).flat();
}

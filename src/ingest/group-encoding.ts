import { createRequire } from 'node:module';
import type { Partition } from '../types.ts';
import { byTopic } from './kafkajs-lookups.ts';

const { MemberMetadata, MemberAssignment } = createRequire(import.meta.url)(
  'kafkajs/src/consumer/assignerProtocol',
) as {
  readonly MemberMetadata: {
    encode(value: { version: number; topics: readonly string[] }): Buffer;
    decode(bytes: Buffer): { readonly topics: readonly string[] };
  };
  readonly MemberAssignment: {
    encode(value: { version: number; assignment: Readonly<Record<string, readonly number[]>> }): Buffer;
    decode(bytes: Buffer): { readonly assignment: Readonly<Record<string, readonly number[]>> } | null;
  };
};

/** Topics that a member reads, as JoinGroup carries them (Kafka's consumer protocol, version 0). */
export function encodeTopics(topics: readonly string[]): Buffer {
  return MemberMetadata.encode({ version: 0, topics });
}

/** Reverses {@link encodeTopics}, of members with any client. */
export function decodeTopics(bytes: Buffer): readonly string[] {
  return MemberMetadata.decode(bytes).topics;
}

/** Partitions of one member, as SyncGroup carries them. */
export function encodeAssignment(partitions: readonly Partition[]): Buffer {
  const topics = byTopic(partitions, ({ partition }) => partition);
  return MemberAssignment.encode({
    version: 0,
    assignment: Object.fromEntries(topics.map(({ topic, partitions: numbers }) => [topic, numbers])),
  });
}

/** Reverses {@link encodeAssignment}; nothing assigned is no bytes with some leaders. */
export function decodeAssignment(bytes: Buffer): Partition[] {
  const topics = bytes.length === 0 ? {} : (MemberAssignment.decode(bytes)?.assignment ?? {});
  return Object.entries(topics).flatMap(([topic, numbers]) =>
    numbers.map((partition) => ({ topic, partition })),
  );
}

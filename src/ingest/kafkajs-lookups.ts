import type { CommittedPosition } from '../ports.ts';
import type { Partition, Position } from '../types.ts';
import type { OffsetAt } from './kafka-client.ts';
import {
  errorOfCode,
  READ_COMMITTED,
  send,
  type Broker,
  type BrokerAddress,
  type Cluster,
} from './kafkajs-cluster.ts';
import { isSubscribed, type Subscription } from './subscription.ts';

export type { Subscription } from './subscription.ts';

/** A partition with the node id of its leader; -1 while it has none. */
export interface LedPartition extends Partition {
  readonly leader: number;
}

interface OffsetsResponse {
  readonly responses: readonly {
    readonly topic: string;
    readonly partitions: readonly {
      readonly partition: number;
      readonly errorCode: number;
      readonly offset: string;
      readonly metadata?: string | null;
    }[];
  }[];
}

/** Kafka's UNKNOWN_TOPIC_OR_PARTITION. */
const UNKNOWN_TOPIC = 3;
/** What Kafka's ListOffsets means by special time stamps. */
const SPECIAL = { latest: -1, earliest: -2 };

/** Partitions of the topics that exist and are subscribed; Kafka's own topics excluded. One attempt. */
export async function findPartitions(cluster: Cluster, subscription: Subscription): Promise<LedPartition[]> {
  // An empty list means all topics.
  const { topicMetadata } = await cluster.metadata(subscription.pattern ? [] : subscription.topics);
  const found = topicMetadata.filter(
    ({ topic, isInternal }) => !isInternal && isSubscribed(subscription, topic),
  );
  for (const { topicErrorCode, topic } of found) {
    if (topicErrorCode === 0 || topicErrorCode === UNKNOWN_TOPIC) continue;
    const error = errorOfCode(topicErrorCode);
    error.message = `topic ${topic}: ${error.message}`;
    throw error;
  }
  return found
    .filter(({ topicErrorCode }) => topicErrorCode === 0)
    .flatMap(({ topic, partitionMetadata }) =>
      partitionMetadata.map(({ partitionId, leader }) => ({ topic, partition: partitionId, leader })),
    );
}

/** The broker that keeps a group, connected. One attempt. */
export async function findCoordinator(cluster: Cluster, groupId: string): Promise<Broker> {
  const { coordinator } = await send<{ readonly coordinator: BrokerAddress }>(
    await cluster.any(),
    'GroupCoordinator',
    { groupId, coordinatorType: 0 },
  );
  return cluster.brokerAt(coordinator);
}

/** All positions that a group has committed, with their metadata. One attempt. */
export async function fetchCommitted(cluster: Cluster, groupId: string): Promise<CommittedPosition[]> {
  const coordinator = await findCoordinator(cluster, groupId);
  // An empty list means all topics (OffsetFetch since version 2).
  const { responses } = await send<OffsetsResponse>(coordinator, 'OffsetFetch', { groupId, topics: [] });
  return responses.flatMap(({ topic, partitions }) =>
    partitions
      .filter(({ offset }) => Number(offset) >= 0)
      .map(({ partition, offset, metadata }) => ({
        topic,
        partition,
        offset: Number(offset),
        // librdkafka ends metadata with a NUL.
        transaction: metadata?.replace(/\0$/, '') ?? '',
      })),
  );
}

/** Offsets of partitions at a place or time; partitions that do not exist are left out. One attempt. */
export async function listOffsets(
  cluster: Cluster,
  partitions: readonly LedPartition[],
  at: OffsetAt,
): Promise<Position[]> {
  const leaders = new Set(partitions.map(({ leader }) => leader));
  const found: Position[] = [];
  for (const nodeId of leaders) {
    const own = partitions.filter(({ leader }) => leader === nodeId);
    found.push(...(await listOffsetsOf(await cluster.broker(nodeId), own, at)));
  }
  const missing = typeof at === 'number' ? found.filter(({ offset }) => offset < 0) : [];
  if (missing.length === 0) return found;
  // Nothing is as late as that time: the end.
  const late = partitions.filter((each) => missing.some((other) => isSame(each, other)));
  return [...found.filter(({ offset }) => offset >= 0), ...(await listOffsets(cluster, late, 'latest'))];
}

async function listOffsetsOf(
  broker: Broker,
  partitions: readonly Partition[],
  at: OffsetAt,
): Promise<Position[]> {
  const timestamp = typeof at === 'number' ? at : SPECIAL[at];
  const { responses } = await send<OffsetsResponse>(
    broker,
    'ListOffsets',
    {
      isolationLevel: READ_COMMITTED,
      topics: byTopic(partitions, ({ partition }) => ({ partition, timestamp })),
    },
    { keepErrors: true },
  );
  const answers = responses.flatMap(({ topic, partitions: own }) => own.map((each) => ({ topic, ...each })));
  for (const { errorCode } of answers) {
    const error = errorCode === 0 || errorCode === UNKNOWN_TOPIC ? undefined : errorOfCode(errorCode);
    if (error) throw error;
  }
  return answers
    .filter(({ errorCode }) => errorCode === 0)
    .map(({ topic, partition, offset }) => ({ topic, partition, offset: Number(offset) }));
}

/** Groups by topic, as most requests of Kafka want it. */
export function byTopic<Each extends Partition, Entry>(
  partitions: readonly Each[],
  entryOf: (each: Each) => Entry,
): { topic: string; partitions: Entry[] }[] {
  const topics = new Map<string, Entry[]>();
  for (const each of partitions) {
    const entries = topics.get(each.topic);
    if (entries) entries.push(entryOf(each));
    else topics.set(each.topic, [entryOf(each)]);
  }
  return [...topics].map(([topic, entries]) => ({ topic, partitions: entries }));
}

/** Whether both are the same partition. */
export function isSame(a: Partition, b: Partition): boolean {
  return a.partition === b.partition && a.topic === b.topic;
}

import pRetry from 'p-retry';
import { MisconfiguredError, RetryableError } from '../errors.ts';
import type { KafkaConfig } from '../kafka.ts';
import { didYouMean } from '../suggest.ts';
import type { KafkaSourceConfig } from './config.ts';
import { decodeFetchResponse, type FetchedPartition } from './fetch-response.ts';
import { createCluster, errorOfCode, READ_COMMITTED, send, type Cluster } from './kafkajs-cluster.ts';
import { codeOf, isFenced, isMoved, kafkaError } from './kafkajs-errors.ts';
import { byTopic, findCoordinator, findPartitions, type LedPartition } from './kafkajs-lookups.ts';
import { subscriptionOf, type Subscription } from './subscription.ts';

/** How often the coordinator of a group is looked for, with waits of 0.25 to 2 seconds. */
const COORDINATOR_ATTEMPTS = 10;
/** Kafka's TOPIC_AUTHORIZATION_FAILED. */
const FORBIDDEN = 29;

/**
 * Proves that brokers answer, that they accept the credentials, that the topics exist and may be read, and that the group may
 * be joined. Changes nothing. Throws MisconfiguredError that says what cannot be, and the way out.
 */
export async function checkKafka(
  kafka: KafkaConfig,
  source: KafkaSourceConfig,
  group: string,
  feedbackTopic?: string,
): Promise<void> {
  const cluster = createCluster(kafka);
  const subscription = subscriptionOf(source, feedbackTopic === undefined ? [] : [feedbackTopic]);
  const what = `kafka.brokers ${kafka.brokers.join(', ')}`;
  try {
    const partitions = await findPartitions(cluster, subscription).catch((error: unknown) => {
      const failure = kafkaError(error, what);
      if (!(failure instanceof RetryableError)) throw failure;
      const { tls, sasl } = kafka;
      const how = `${tls === false ? 'without' : 'with'} TLS and ${sasl ? `with SASL ${sasl.mechanism}` : 'without SASL'}`;
      throw new MisconfiguredError(
        `${failure.message}: expected a broker that answers ${how}; check the addresses, kafka.tls and kafka.sasl`,
        { cause: failure },
      );
    });
    await checkTopics(cluster, subscription, partitions, feedbackTopic);
    await checkReading(cluster, partitions, feedbackTopic);
    await checkGroup(cluster, group);
  } catch (error) {
    const failure = kafkaError(error, what);
    if (!(failure instanceof RetryableError)) throw failure;
    throw new MisconfiguredError(`${failure.message}: are all brokers up?`, { cause: failure });
  } finally {
    cluster.destroy();
  }
}

async function checkTopics(
  cluster: Cluster,
  { topics }: Subscription,
  partitions: readonly LedPartition[],
  feedbackTopic: string | undefined,
): Promise<void> {
  const existing = new Set(partitions.map(({ topic }) => topic));
  // A pattern may be there before its topics.
  const missing = topics.filter((topic) => !existing.has(topic));
  if (missing.length === 0) return;
  const { topicMetadata } = await cluster.metadata([]);
  const all = topicMetadata.filter(({ isInternal }) => !isInternal).map(({ topic }) => topic);
  const problems = missing.map((topic) => {
    return `${placeOf(topic, feedbackTopic)}: expected a topic, got ${topic}, which does not exist${didYouMean(topic, all)}`;
  });
  throw new MisconfiguredError(
    `${problems.join('\n')}\ncreate it, or correct its name (a topic that the user may not see looks the same)`,
  );
}

/** Where the configuration names a topic. */
function placeOf(topic: string, feedbackTopic: string | undefined): string {
  return topic === feedbackTopic ? 'feedback.topic' : 'source.topics';
}

/** A fetch of next to nothing, since no request asks for permissions alone. */
async function checkReading(
  cluster: Cluster,
  partitions: readonly LedPartition[],
  feedbackTopic: string | undefined,
): Promise<void> {
  for (const [leader, own] of Map.groupBy(partitions, (each) => each.leader)) {
    if (leader < 0) continue;
    const firsts = own.filter(({ topic }, index) => own.findIndex((each) => each.topic === topic) === index);
    const topics = byTopic(firsts, ({ partition }) => ({ partition, fetchOffset: '0', maxBytes: 1 }));
    const answer = await send<FetchedPartition[]>(
      await cluster.broker(leader),
      'Fetch',
      { isolationLevel: READ_COMMITTED, maxWaitTime: 0, minBytes: 0, maxBytes: 1, topics },
      { decode: decodeFetchResponse, keepErrors: true },
    );
    const refused = answer.find(({ errorCode }) => errorCode === FORBIDDEN);
    if (!refused) continue;
    throw kafkaError(errorOfCode(FORBIDDEN), `${placeOf(refused.topic, feedbackTopic)} ${refused.topic}`);
  }
}

/** A heartbeat of nobody: refused as such where the group may be joined, and otherwise for want of permission. */
async function checkGroup(cluster: Cluster, groupId: string): Promise<void> {
  try {
    const nobody = { groupId, groupGenerationId: 0, memberId: 'sluice-check' };
    // A broker that has just started makes its topic for groups when the first one asks, which takes some seconds.
    const coordinator = await pRetry(() => findCoordinator(cluster, groupId), {
      retries: COORDINATOR_ATTEMPTS - 1,
      minTimeout: 250,
      maxTimeout: 2000,
      shouldRetry: ({ error }) => isMoved(error),
    });
    await send(coordinator, 'Heartbeat', nobody);
  } catch (error) {
    if (isFenced(error) || codeOf(error) === 'REBALANCE_IN_PROGRESS') return;
    throw kafkaError(error, `source.group ${groupId}`);
  }
}

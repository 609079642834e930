import pRetry from 'p-retry';
import { RetryableError } from '../errors.ts';
import type { KafkaConfig } from '../kafka.ts';
import type { CommittedPosition } from '../ports.ts';
import type { Position } from '../types.ts';
import type { OffsetAt } from './kafka-client.ts';
import { createCluster, errorOfCode, send } from './kafkajs-cluster.ts';
import { kafkaError } from './kafkajs-errors.ts';
import {
  byTopic,
  fetchCommitted,
  findCoordinator,
  findPartitions,
  listOffsets,
  type Subscription,
} from './kafkajs-lookups.ts';

/**
 * A consumer group and the topics that it reads, seen from outside: no member joins. All methods throw RetryableError when
 * the brokers do not answer for some 20 seconds (a minute where they are silent), MisconfiguredError when they never will.
 */
export interface KafkaGroup {
  /** Committed positions of all topics, with the transactions that they name. */
  committed(): Promise<readonly CommittedPosition[]>;
  /** Offsets of all partitions of the subscribed topics at a place or time; a topic that does not exist has none. */
  offsets(at: OffsetAt): Promise<readonly Position[]>;
  /** Commits positions with what they name, all or none; refused while the group has members. */
  begin(positions: readonly CommittedPosition[]): Promise<void>;
  /** Deletes the group with its committed positions; refused while it has members. Done when there is none. */
  remove(): Promise<void>;
  close(): void;
}

/** Some 20 seconds, with waits of 0.25 to 5; where no answer is long in coming, a minute. */
const PATIENCE = { retries: 7, minTimeout: 250, maxTimeout: 5000, maxRetryTime: 60_000 };
/** Commits without being a member (Kafka protocol, OffsetCommit): for groups that have no members. */
const NO_GENERATION = { groupGenerationId: -1, memberId: '' };
/** Kafka's GROUP_ID_NOT_FOUND. */
const NO_SUCH_GROUP = 69;

/**
 * Looks at a group from outside. `subscription`: topics whose offsets are asked for. `onRetrying` is told what failed and is
 * tried again.
 */
export function openKafkaGroup(
  config: KafkaConfig,
  group: string,
  subscription: Subscription,
  onRetrying: (error: Error) => void = () => undefined,
): KafkaGroup {
  const cluster = createCluster(config);
  const what = `kafka ${config.brokers.join(', ')}, group ${group}`;

  async function ask<Result>(question: () => Promise<Result>): Promise<Result> {
    // A coordinator that moves, or a broker that has just started, answers some seconds later.
    const attempt = async () => {
      try {
        return await question();
      } catch (error) {
        throw kafkaError(error, what);
      }
    };
    return pRetry(attempt, {
      ...PATIENCE,
      shouldRetry({ error }) {
        const mayPass = error instanceof RetryableError;
        if (mayPass) onRetrying(error);
        return mayPass;
      },
    });
  }

  return {
    committed: () => ask(() => fetchCommitted(cluster, group)),
    offsets: (at) =>
      ask(async () => {
        const partitions = await findPartitions(cluster, subscription);
        const leaderless = partitions.find(({ leader }) => leader < 0);
        if (leaderless)
          throw new RetryableError(`${what}: ${leaderless.topic}-${leaderless.partition} has no leader now`);
        return listOffsets(cluster, partitions, at);
      }),
    begin: (positions) =>
      ask(async () => {
        const topics = byTopic(positions, ({ partition, offset, transaction }) => ({
          partition,
          offset: String(offset),
          metadata: transaction,
        }));
        await send(await findCoordinator(cluster, group), 'OffsetCommit', {
          groupId: group,
          ...NO_GENERATION,
          topics,
        });
      }),
    remove: () =>
      ask(async () => {
        const coordinator = await findCoordinator(cluster, group);
        const { results } = await send<{ readonly results: readonly { readonly errorCode: number }[] }>(
          coordinator,
          'DeleteGroups',
          [group],
        );
        for (const { errorCode } of results) {
          if (errorCode !== 0 && errorCode !== NO_SUCH_GROUP) throw errorOfCode(errorCode);
        }
      }),
    close: () => cluster.destroy(),
  };
}

import { MisconfiguredError, errorOf } from '../errors.ts';
import type { KafkaConfig, KafkaLog } from '../kafka.ts';
import type { KafkaSourceConfig } from './config.ts';
import type { KafkaClient, KafkaClientHandlers } from './kafka-client.ts';
import { createKafkaLookups } from './kafka-lookups.ts';
import { createCluster } from './kafkajs-cluster.ts';
import { commitOffsets } from './kafkajs-commit.ts';
import { createFetcher, type Fetcher } from './kafkajs-fetcher.ts';
import { createMember, type Generation, type Member } from './kafkajs-member.ts';
import { subscriptionOf } from './subscription.ts';

/** What {@link createKafkajsClient} needs. */
export interface KafkaClientOptions {
  readonly kafka: KafkaConfig;
  readonly source: KafkaSourceConfig;
  /** Consumer group. */
  readonly group: string;
  /** Topics that are read beside those of the source. */
  readonly beside?: readonly string[];
  readonly onLog?: KafkaLog;
}

/**
 * A member of a consumer group by kafkajs's connections and encodings; see kafkajs-cluster.ts for why not by its consumer.
 * Eager rebalances by the `roundrobin` strategy. Whether a session has ended is left to the broker, which alone can tell: a
 * broker that is away for minutes costs no assignment when it comes back with the group as it was.
 */
export function createKafkajsClient(options: KafkaClientOptions): KafkaClient {
  const { kafka, source, group, onLog } = options;
  refuseMembership(source);
  const subscription = subscriptionOf(source, options.beside);
  // Joining and fetching keep a connection busy for long, so each has its own.
  const clusters = { member: createCluster(kafka, onLog), data: createCluster(kafka, onLog) };
  const ending = new AbortController();
  let parts:
    { readonly member: Member; readonly fetcher: Fetcher; readonly running: Promise<void> } | undefined;
  let generation: Generation | undefined;
  let listener: KafkaClientHandlers | undefined;

  const lookups = createKafkaLookups({
    cluster: clusters.data,
    group,
    subscription,
    signal: ending.signal,
    onRetrying: (operation, error) => listener?.retrying(operation, error),
  });

  return {
    ...lookups,

    start(handlers) {
      listener = handlers;
      const onRetrying = (operation: string, error: Error) => handlers.retrying(operation, error);
      let failed = false;
      const fail = (error: unknown) => {
        if (failed || ending.signal.aborted) return;
        failed = true;
        handlers.failed(errorOf(error));
      };
      const fetcher = createFetcher({
        cluster: clusters.data,
        subscription,
        limits: { batchMessages: source.batch_messages, batchBytes: source.batch_bytes },
        maxBytes: source.max_bytes,
        maxBytesPerPartition: source.max_bytes_per_partition,
        maxWait: source.max_wait,
        onBatch: (batch, token, end) => handlers.batch(batch, token, end),
        onOutOfRange: (position, token) => handlers.outOfRange(position, token),
        onRetrying,
        onFailed: fail,
      });
      const member = createMember({
        cluster: clusters.member,
        others: clusters.data,
        groupId: group,
        subscription,
        sessionTimeout: source.session_timeout,
        rebalanceTimeout: source.rebalance_timeout,
        heartbeatInterval: source.heartbeat_interval,
        metadataMaxAge: source.metadata_max_age,
        onAssigned(fresh, partitions) {
          generation = fresh;
          handlers.assigned(fresh.token, partitions).catch(fail);
        },
        async onRevoked({ token }, limit) {
          fetcher.end(token);
          await handlers.revoked(token, limit);
        },
        onLost({ token }) {
          fetcher.end(token);
          handlers.lost(token);
        },
        onRetrying,
      });
      parts = { member, fetcher, running: member.run().catch(fail) };
    },

    read(token, positions) {
      if (generation?.token === token && generation.alive) parts?.fetcher.read(token, positions);
    },

    pause: (partitions) => parts?.fetcher.pause(partitions),

    async commit(token, positions, metadata) {
      if (!parts || generation?.token !== token || !generation.alive) {
        return { kind: 'fenced', detail: `assignment ${token} has ended` };
      }
      return commitOffsets(parts.member, generation, positions, metadata);
    },

    stop() {
      parts?.fetcher.end();
      parts?.member.stop();
    },

    async close() {
      ending.abort();
      parts?.fetcher.end();
      await parts?.member.leave();
      for (const cluster of Object.values(clusters)) cluster.destroy();
      await parts?.running;
    },
  };
}

/** Throws MisconfiguredError for ways to take part in a group that this client does not know. */
function refuseMembership({ group_protocol, assignor, instance }: KafkaSourceConfig): void {
  const problems = [
    group_protocol === 'classic' ? [] : `group_protocol: expected classic, got ${group_protocol}`,
    assignor === undefined || assignor === 'roundrobin'
      ? []
      : `assignor: expected roundrobin, got ${assignor}`,
    instance === undefined ? [] : `instance: expected none, got ${instance}`,
  ].flat();
  if (problems.length === 0) return;
  throw new MisconfiguredError(
    `source.${problems.join('; source.')}: kafka.client kafkajs knows no other; use client: confluent`,
  );
}

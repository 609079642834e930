import { setTimeout as sleep } from 'node:timers/promises';
import { RetryableError } from '../errors.ts';
import { requestToken, type AccessToken } from '../kafka.ts';
import { createBackoff } from './backoff.ts';
import { commitOutcome, confluentError, libraryCode } from './confluent-errors.ts';
import { called, loadLibrary, type Library, type LibraryConsumer } from './confluent-library.ts';
import { createMembership, type Membership } from './confluent-membership.ts';
import { consumerProperties } from './confluent-properties.ts';
import { createReader, type Reader } from './confluent-reader.ts';
import type { KafkaClient, KafkaClientHandlers } from './kafka-client.ts';
import { createKafkaLookups } from './kafka-lookups.ts';
import type { KafkaClientOptions } from './kafkajs-client.ts';
import { createCluster } from './kafkajs-cluster.ts';
import { subscriptionOf } from './subscription.ts';

/** Part of the rebalance time-out that a flush may take; the rest is for the way to the broker and back. */
const REVOKE_SHARE = 0.8;
/** Longest that one attempt to connect may take. */
const CONNECT_MILLIS = 5000;

/** A connected consumer with what drives it. */
interface Parts {
  readonly consumer: LibraryConsumer;
  readonly membership: Membership;
  readonly reader: Reader;
}

/**
 * A member of a consumer group by librdkafka (`@confluentinc/kafka-javascript`, an optional package): incremental rebalances,
 * by cooperative-sticky or by the broker (KIP-848), and static membership (KIP-345), so that a restart or one more process
 * moves no partition that need not move. What needs no membership is asked by kafkajs's connections, as in its adapter.
 *
 * Commits carry librdkafka's present generation, not the token's; but while a token lives librdkafka cannot get another
 * one, since it waits for the revocation to be acknowledged before it joins again, and for all commits before that. `end` of
 * a batch is the high watermark until the end is reached, as librdkafka tells no more.
 */
export function createConfluentClient({ kafka, source, group, onLog }: KafkaClientOptions): KafkaClient {
  const subscription = subscriptionOf(source);
  const cluster = createCluster(kafka, onLog);
  const ending = new AbortController();
  let listener: KafkaClientHandlers | undefined;
  let parts: Parts | undefined;
  let hasFailed = false;
  let isStopping = false;
  let running: Promise<void> = Promise.resolve();

  const lookups = createKafkaLookups({
    cluster,
    group,
    subscription,
    signal: ending.signal,
    onRetrying: (operation, error) => listener?.retrying(operation, error),
  });

  function fail(error: unknown): void {
    if (hasFailed || ending.signal.aborted) return;
    hasFailed = true;
    listener?.failed(error instanceof Error ? error : new Error(String(error)));
  }

  function report(error: unknown): void {
    const failure = confluentError(error, `kafka ${kafka.brokers.join(', ')}, group ${group}`);
    if (!(failure instanceof RetryableError)) fail(failure);
    else if (!ending.signal.aborted) listener?.retrying('read', failure);
  }

  function assemble({ KafkaConsumer }: Library, handlers: KafkaClientHandlers): Parts {
    const { sasl } = kafka;
    const properties = {
      ...consumerProperties(kafka, source, group),
      rebalance_cb: (error: unknown, partitions: Parameters<Membership['rebalance']>[1]) =>
        membership.rebalance(libraryCode(error) ?? 0, partitions),
      ...(sasl?.mechanism === 'oauthbearer' || sasl?.mechanism === 'aws-msk-iam'
        ? { oauthbearer_token_refresh_cb: async () => tokenOf(await requestToken(sasl)) }
        : {}),
    };
    const consumer = new KafkaConsumer(properties);
    const membership = createMembership({
      consumer,
      limit: Math.max(0, source.rebalance_timeout * REVOKE_SHARE - source.heartbeat_interval),
      onAssigned: (token, partitions) => handlers.assigned(token, partitions),
      onEnding: () => reader.end(),
      onRevoked: (token, limit) => handlers.revoked(token, limit),
      onLost: (token) => handlers.lost(token),
      onFailed: fail,
    });
    const reader = createReader({
      consumer,
      limits: { batchMessages: source.batch_messages, batchBytes: source.batch_bytes },
      onBatch: (batch, token, end) => handlers.batch(batch, token, end),
      onOutOfRange: (position, token) => handlers.outOfRange(position, token),
      onError: report,
      onFailed: fail,
    });
    consumer.on('event.error', report);
    consumer.on('error', report);
    return { consumer, membership, reader };
  }

  /** A consumer that could not connect is spent: each attempt makes another. */
  async function connect(library: Library, handlers: KafkaClientHandlers): Promise<Parts | undefined> {
    const backoff = createBackoff(100, CONNECT_MILLIS);
    while (!ending.signal.aborted && !hasFailed) {
      const made = assemble(library, handlers);
      try {
        await called((done) => made.consumer.connect({ allTopics: false, timeout: CONNECT_MILLIS }, done));
        return made;
      } catch (error) {
        report(error);
      }
      await sleep(backoff.next(), undefined, { signal: ending.signal }).catch(() => undefined);
    }
    return undefined;
  }

  async function join(handlers: KafkaClientHandlers): Promise<void> {
    parts = await connect(await loadLibrary(), handlers);
    parts?.reader.run();
    let subscribed = '';
    // Patterns are resolved here, so that they mean the same whatever client reads.
    while (parts && !ending.signal.aborted && !isStopping) {
      const topics = await topicsNow();
      if (isStopping || ending.signal.aborted) return;
      if (topics.length > 0 && topics.join() !== subscribed) parts.consumer.subscribe(topics);
      subscribed = topics.join();
      if ('topics' in subscription) return;
      await sleep(source.metadata_max_age, undefined, { signal: ending.signal }).catch(() => undefined);
    }
  }

  async function topicsNow(): Promise<readonly string[]> {
    if ('topics' in subscription) return subscription.topics;
    const partitions = await lookups.partitions();
    return [...new Set(partitions.map(({ topic }) => topic))].toSorted();
  }

  return {
    ...lookups,

    start(handlers) {
      listener = handlers;
      running = join(handlers).catch(fail);
    },

    read(token, positions) {
      if (!parts?.membership.holds(token)) return;
      const { membership, reader } = parts;
      reader.read(
        token,
        positions.filter((each) => membership.owns(each)),
      );
    },

    pause: (partitions) => parts?.reader.pause(partitions),

    async commit(token, positions, metadata) {
      if (!parts?.membership.holds(token)) {
        return { kind: 'fenced', detail: `assignment ${token} has ended` };
      }
      const { consumer } = parts;
      // The library ends metadata with a NUL, the empty one too; whoever reads them takes it off.
      const offsets = positions.map((each) => (metadata === '' ? each : { ...each, metadata }));
      try {
        await called((done) => consumer.commitCb(offsets, done));
        return { kind: 'committed' };
      } catch (error) {
        return commitOutcome(error);
      }
    },

    stop() {
      isStopping = true;
      parts?.reader.end();
      parts?.membership.stop();
    },

    async close() {
      ending.abort();
      parts?.membership.close();
      await running;
      await parts?.reader.close();
      const consumer = parts?.consumer;
      parts = undefined;
      if (consumer) await called((done) => consumer.disconnect(done));
      cluster.destroy();
    },
  };
}

function tokenOf({ value, expiresAt }: AccessToken) {
  return { tokenValue: value, lifetime: expiresAt, principal: 'sluice' };
}

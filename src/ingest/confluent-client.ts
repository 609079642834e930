import { setTimeout as sleep } from 'node:timers/promises';
import { MisconfiguredError, RetryableError, errorOf, messageOf } from '../errors.ts';
import { requestToken, type AccessToken } from '../kafka.ts';
import { createBackoff } from './backoff.ts';
import { createCommits, type Commits } from './confluent-commits.ts';
import { CODE, confluentError, libraryCode } from './confluent-errors.ts';
import {
  called,
  loadLibrary,
  returned,
  type Library,
  type LibraryConsumer,
  type LibraryError,
} from './confluent-library.ts';
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

/** How long what librdkafka says of connections is passed over after kafkajs's did well. */
const SUSPECT_MILLIS = 1000;
/** Of syslog's severities, which librdkafka's log lines have (RFC 5424, section 6.2.1). */
const WARNING = 4;

/** A connected consumer with what drives it. */
interface Parts {
  readonly consumer: LibraryConsumer;
  readonly membership: Membership;
  readonly reader: Reader;
  readonly commits: Commits;
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
export function createConfluentClient({
  kafka,
  source,
  group,
  beside,
  onLog,
}: KafkaClientOptions): KafkaClient {
  const subscription = subscriptionOf(source, beside);
  const cluster = createCluster(kafka, onLog);
  const ending = new AbortController();
  /** Ends what is not needed to commit: joining, and looking for topics. */
  const stopping = new AbortController();
  const isStopping = AbortSignal.any([ending.signal, stopping.signal]);
  let listener: KafkaClientHandlers | undefined;
  let parts: Parts | undefined;
  let hasFailed = false;
  let isSuspecting = false;
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
    stopping.abort();
    listener?.failed(errorOf(error));
  }

  function report(error: unknown): void {
    const failure = confluentError(error, `kafka ${kafka.brokers.join(', ')}, group ${group}`);
    if (!(failure instanceof RetryableError)) fail(failure);
    else if (!ending.signal.aborted) listener?.retrying('read', failure);
  }

  /**
   * librdkafka tries again for ever, and of a connection that fails the library tells a few words only: kafkajs finds out
   * whether it is one that no further attempt mends. One question at a time, since the words come in dozens a second.
   */
  async function suspect(symptom: Error): Promise<void> {
    if (isSuspecting || ending.signal.aborted) return;
    isSuspecting = true;
    report(new RetryableError(symptom.message));
    await lookups.partitions().catch((cause: unknown) => {
      if (!(cause instanceof RetryableError)) fail(cause);
    });
    await sleep(SUSPECT_MILLIS, undefined, { signal: ending.signal, ref: false }).catch(() => undefined);
    isSuspecting = false;
  }

  function assemble({ KafkaConsumer }: Library, handlers: KafkaClientHandlers): Parts {
    const { sasl } = kafka;
    const properties = {
      ...consumerProperties(kafka, source, group),
      rebalance_cb: (error: unknown, partitions: Parameters<Membership['rebalance']>[1]) =>
        membership.rebalance(libraryCode(error) ?? 0, partitions),
      offset_commit_cb: (error: LibraryError | undefined) => commits.answered(error),
      ...(sasl?.mechanism === 'oauthbearer' || sasl?.mechanism === 'aws-msk-iam'
        ? { oauthbearer_token_refresh_cb: async () => tokenOf(await requestToken(sasl)) }
        : {}),
    };
    const consumer = new KafkaConsumer(properties);
    const commits = createCommits(consumer, () => reader.hasten());
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
      isAnswerDue: () => commits.isWaiting(),
      onOutOfRange: (position, token) => handlers.outOfRange(position, token),
      onError: report,
      onFailed: fail,
    });
    consumer.on('event.error', (symptom) => void suspect(symptom));
    // What the provider of tokens throws.
    consumer.on('error', report);
    consumer.on('event.log', ({ severity, message }) => {
      if (severity <= WARNING) onLog?.({ level: severity < WARNING ? 'error' : 'warn', message });
    });
    return { consumer, membership, reader, commits };
  }

  /** A consumer that could not connect is spent: each attempt makes another. */
  async function connect(library: Library, handlers: KafkaClientHandlers): Promise<Parts | undefined> {
    const backoff = createBackoff(100, CONNECT_MILLIS);
    while (!isStopping.aborted) {
      try {
        // First, since its errors say what is wrong.
        await lookups.partitions();
        const made = assemble(library, handlers);
        await returned(
          called((done) => made.consumer.connect({ allTopics: false, timeout: CONNECT_MILLIS }, done)),
        );
        return made;
      } catch (error) {
        report(refusalOf(error));
      }
      await sleep(backoff.next(), undefined, { signal: isStopping }).catch(() => undefined);
    }
    return undefined;
  }

  async function join(handlers: KafkaClientHandlers): Promise<void> {
    parts = await connect(await loadLibrary(), handlers);
    parts?.reader.run();
    const consumer = parts?.consumer;
    if (!consumer) return;
    if (subscription.pattern === undefined) consumer.subscribe(subscription.topics);
    else await follow(consumer);
  }

  /** Patterns are resolved here, so that they mean the same whatever client reads. */
  async function follow(consumer: LibraryConsumer): Promise<void> {
    let subscribed = '';
    while (!isStopping.aborted) {
      try {
        const partitions = await lookups.partitions();
        const topics = [...new Set(partitions.map(({ topic }) => topic))].toSorted();
        if (topics.length > 0 && topics.join() !== subscribed) consumer.subscribe(topics);
        subscribed = topics.join();
      } catch (error) {
        report(error);
      }
      await sleep(source.metadata_max_age, undefined, { signal: isStopping }).catch(() => undefined);
    }
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
      const { commits, membership } = parts;
      return commits.commit(positions, metadata, () => membership.holds(token));
    },

    stop() {
      stopping.abort();
      parts?.reader.end();
      parts?.membership.stop();
    },

    async close() {
      ending.abort();
      parts?.membership.close();
      cluster.destroy();
      await running;
      await parts?.reader.close();
      parts?.commits.close();
      const consumer = parts?.consumer;
      parts = undefined;
      if (consumer) await called((done) => consumer.disconnect(done));
    },
  };
}

function tokenOf({ value, expiresAt }: AccessToken) {
  return { tokenValue: value, lifetime: expiresAt, principal: 'sluice' };
}

/** Librdkafka checks its properties as a whole only when it connects. */
function refusalOf(error: unknown): unknown {
  if (libraryCode(error) !== CODE.unknown) return error;
  return new MisconfiguredError(`librdkafka refuses what source: and kafka: say: ${messageOf(error)}`, {
    cause: error,
  });
}

import { getCACertificates } from 'node:tls';
import { MisconfiguredError } from '../errors.ts';
import { kafkaClientOptions, type KafkaConfig } from '../kafka.ts';
import type { KafkaSourceConfig } from './config.ts';

const LEAST_BYTES = 1000;

type Properties = Record<string, string | number | boolean>;

/**
 * librdkafka's properties of a consumer (its CONFIGURATION.md has them all). Throws MisconfiguredError for what librdkafka
 * cannot do, and when a TLS file cannot be read.
 */
export function consumerProperties(
  config: KafkaConfig,
  source: KafkaSourceConfig,
  group: string,
): Properties {
  return {
    'bootstrap.servers': config.brokers.join(','),
    'client.id': config.client_id,
    'socket.connection.setup.timeout.ms': config.connection_timeout,
    'socket.timeout.ms': config.request_timeout,
    'allow.auto.create.topics': false,
    'topic.metadata.refresh.interval.ms': source.metadata_max_age,
    ...securityProperties(config),
    'group.id': group,
    ...groupProperties(source),
    'enable.auto.commit': false,
    'enable.auto.offset.store': false,
    'enable.partition.eof': true,
    'isolation.level': 'read_committed',
    // Where it goes on from an offset that does not exist; the reader notices, and says so.
    'auto.offset.reset': 'earliest',
    'fetch.wait.max.ms': source.max_wait,
    'fetch.message.max.bytes': source.max_bytes_per_partition,
    // Of messages written, but librdkafka wants no smaller fetches; the least that it takes.
    'message.max.bytes': LEAST_BYTES,
    'fetch.max.bytes': Math.max(source.max_bytes, LEAST_BYTES),
    // At least 512 bytes above; a larger record batch comes alone and needs room as well.
    'receive.message.max.bytes': Math.min(2 * source.max_bytes + 64 * 1024 ** 2, 2 ** 31 - 1),
    'queued.max.messages.kbytes': Math.ceil(source.max_bytes / 1024),
    // Only bytes count: small messages would else be asked for again and again.
    'queued.min.messages': 1_000_000,
  };
}

function groupProperties(source: KafkaSourceConfig): Properties {
  const { group_protocol: protocol, assignor = 'cooperative-sticky', instance } = source;
  return {
    'group.protocol': protocol,
    ...(instance === undefined ? {} : { 'group.instance.id': instance }),
    // librdkafka knows no other name for the rebalance time-out; it must not be below the session time-out.
    'max.poll.interval.ms': Math.max(source.rebalance_timeout, source.session_timeout),
    ...(protocol === 'classic'
      ? {
          'partition.assignment.strategy': assignor,
          'session.timeout.ms': source.session_timeout,
          'heartbeat.interval.ms': source.heartbeat_interval,
        }
      : // The broker has the others (group.consumer.session.timeout.ms …), and librdkafka refuses them.
        {}),
  };
}

/** Kafka's names of the mechanisms. */
const MECHANISMS = {
  plain: 'PLAIN',
  'scram-sha-256': 'SCRAM-SHA-256',
  'scram-sha-512': 'SCRAM-SHA-512',
  oauthbearer: 'OAUTHBEARER',
  'aws-msk-iam': 'OAUTHBEARER',
} as const;

function securityProperties(config: KafkaConfig): Properties {
  const { sasl } = config;
  const { ssl = false } = kafkaClientOptions(config);
  const protocol = `${sasl ? 'sasl_' : ''}${ssl === false ? 'plaintext' : 'ssl'}`;
  return {
    'security.protocol': protocol,
    ...(sasl ? { 'sasl.mechanisms': MECHANISMS[sasl.mechanism] } : {}),
    ...(sasl && 'password' in sasl ? { 'sasl.username': sasl.username, 'sasl.password': sasl.password } : {}),
    ...(ssl === false ? {} : tlsProperties(ssl === true ? {} : ssl)),
  };
}

interface TlsOptions {
  readonly ca?: unknown;
  readonly cert?: unknown;
  readonly key?: unknown;
  readonly servername?: unknown;
}

function tlsProperties({ ca, cert, key, servername }: TlsOptions): Properties {
  if (servername !== undefined) {
    throw new MisconfiguredError(
      'kafka.tls.server_name: expected none with client: confluent, which always expects the name of the broker; use client: kafkajs',
    );
  }
  // The same authorities as Node's, not those that librdkafka was built with.
  const authorities = Array.isArray(ca) ? ca : getCACertificates('default');
  return {
    'ssl.ca.pem': authorities.join('\n'),
    ...(typeof cert === 'string' ? { 'ssl.certificate.pem': cert } : {}),
    ...(typeof key === 'string' ? { 'ssl.key.pem': key } : {}),
  };
}

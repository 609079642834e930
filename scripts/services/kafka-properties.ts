import type { Certificates } from './certificates.ts';
import { HOST } from './ports.ts';

/** The user that PLAIN and SCRAM know. Only for brokers on this machine that live as long as a test. */
export const KAFKA_USER = { name: 'sluice', password: 'sluice-secret' } as const;

/** Listener by port name: open, SASL without TLS, SASL with TLS. */
const LISTENERS = { plaintext: 'PLAINTEXT', sasl: 'SASL_PLAINTEXT', tls: 'SASL_SSL' } as const;
const MODULES = {
  plain: `plain.PlainLoginModule required user_${KAFKA_USER.name}="${KAFKA_USER.password}"`,
  'scram-sha-256': 'scram.ScramLoginModule required',
  'scram-sha-512': 'scram.ScramLoginModule required',
  // Kafka's own validator of unsigned tokens: any subject is believed.
  oauthbearer: 'oauthbearer.OAuthBearerLoginModule required',
} as const;

/** What a broker's configuration depends on. */
export interface KafkaPropertiesOptions {
  /** Ports named plaintext, sasl, tls and controller. */
  readonly ports: Readonly<Record<string, number>>;
  /** Where its logs are, absolute. */
  readonly data: string;
  readonly certificates: Certificates;
}

/** The properties file of one KRaft node that is broker and controller: https://kafka.apache.org/documentation/#brokerconfigs */
export function kafkaProperties({ ports, data, certificates }: KafkaPropertiesOptions): string {
  const addresses = Object.entries(LISTENERS).map(([port, name]) => `${name}://${HOST}:${ports[port]}`);
  const controller = `${HOST}:${ports.controller}`;
  const jaas = ['sasl_plaintext', 'sasl_ssl'].flatMap((listener) =>
    Object.entries(MODULES).map(
      ([mechanism, module]) =>
        [
          `listener.name.${listener}.${mechanism}.sasl.jaas.config`,
          `org.apache.kafka.common.security.${module};`,
        ] as const,
    ),
  );
  const properties: readonly (readonly [string, string | number | boolean])[] = [
    ['process.roles', 'broker,controller'],
    ['node.id', 1],
    ['controller.quorum.voters', `1@${controller}`],
    ['controller.listener.names', 'CONTROLLER'],
    ['listeners', [...addresses, `CONTROLLER://${controller}`].join(',')],
    ['advertised.listeners', addresses.join(',')],
    [
      'listener.security.protocol.map',
      ['CONTROLLER:PLAINTEXT', ...Object.values(LISTENERS).map((name) => `${name}:${name}`)].join(','),
    ],
    ['inter.broker.listener.name', LISTENERS.plaintext],
    ['sasl.enabled.mechanisms', Object.keys(MODULES).join(',').toUpperCase()],
    ...jaas,
    ['ssl.keystore.type', 'PEM'],
    ['ssl.keystore.location', certificates.server],
    ['log.dirs', data],
    // Everything is allowed until a test forbids it.
    ['authorizer.class.name', 'org.apache.kafka.metadata.authorizer.StandardAuthorizer'],
    ['allow.everyone.if.no.acl.found', true],
    ['super.users', 'User:ANONYMOUS'],
    // A topic that nobody made is an error that Sluice must report, not a topic.
    ['auto.create.topics.enable', false],
    ['num.partitions', 1],
    // Tests write messages with old time stamps, which the broker would delete within five minutes.
    ['log.retention.ms', -1],
    ['offsets.topic.replication.factor', 1],
    ['offsets.topic.num.partitions', 5],
    ['transaction.state.log.replication.factor', 1],
    ['transaction.state.log.min.isr', 1],
    ['transaction.state.log.num.partitions', 5],
    ['share.coordinator.state.topic.replication.factor', 1],
    ['share.coordinator.state.topic.min.isr', 1],
    // Short sessions and no waiting for more members: tests of rebalances end soon.
    ['group.initial.rebalance.delay.ms', 0],
    ['group.min.session.timeout.ms', 1000],
    ['group.consumer.min.session.timeout.ms', 1000],
    ['group.consumer.min.heartbeat.interval.ms', 200],
    // A killed broker is let in again when its session ended: nine seconds by default.
    ['broker.session.timeout.ms', 3000],
    ['broker.heartbeat.interval.ms', 500],
    ['num.network.threads', 2],
    ['num.io.threads', 4],
    ['background.threads', 2],
    ['log.cleaner.dedupe.buffer.size', 8 * 1024 * 1024],
  ];
  return properties.map(([key, value]) => `${key}=${value}\n`).join('');
}

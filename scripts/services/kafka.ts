import { cpSync, existsSync } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { installOnce, isInstalled } from './cache.ts';
import { makeCertificates } from './certificates.ts';
import { exchange } from './exchange.ts';
import { execute } from './execute.ts';
import { JAVA, LOG4J } from './java.ts';
import { CLASSES, recordClasses } from './kafka-classes.ts';
import { KAFKA_USER, kafkaProperties } from './kafka-properties.ts';
import { MAVEN, copyJars } from './maven.ts';
import { HOST } from './ports.ts';
import { portOf, type Command, type Service } from './service.ts';
import { requireTools, type Tool } from './tools.ts';

/** Version of the broker. */
export const KAFKA_VERSION = '4.1.1';
const NAME = `kafka-${KAFKA_VERSION}`;
const CLASSES_NAME = `${NAME}-classes`;
/** kafka_2.13 speaks slf4j 1.7 and leaves its output to whoever runs it; this is the log4j that it is built with. */
const LOG4J_VERSION = '2.24.3';
/** Any: brokers of several runs never meet. */
const CLUSTER_ID = 'c2x1aWNlLXRlc3RzLTAwMQ';

const OPENSSL: Tool = { command: 'openssl', packages: ['openssl'] };

/**
 * A Kafka broker of one KRaft node: ports plaintext, sasl (SASL_PLAINTEXT), tls (SASL_SSL) and controller. `install` also
 * formats an empty log with the SCRAM users, which every run then copies: that saves it the start of a second JVM.
 */
export const kafka: Service = {
  name: 'kafka',
  ports: ['plaintext', 'sasl', 'tls', 'controller'],

  async install() {
    const tools = isInstalled(NAME) ? [JAVA, OPENSSL] : [JAVA, OPENSSL, MAVEN];
    const [java, , maven] = await requireTools('kafka', tools);
    const place = await installOnce(NAME, async (directory) => {
      await copyJars(maven!, directory, [
        `org.apache.kafka:kafka_2.13:${KAFKA_VERSION}`,
        `org.apache.logging.log4j:log4j-slf4j-impl:${LOG4J_VERSION}`,
      ]);
      await writeFile(join(directory, 'log4j2.properties'), LOG4J);
      const properties = join(directory, 'format.properties');
      await writeFile(
        properties,
        kafkaProperties({
          ports: { plaintext: 9092, sasl: 9094, tls: 9095, controller: 9093 },
          data: join(directory, 'formatted'),
          certificates: { authority: '', server: '' },
        }),
      );
      const users = ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => [
        '--add-scram',
        `${mechanism}=[name=${KAFKA_USER.name},password=${KAFKA_USER.password}]`,
      ]);
      await execute(
        java!,
        [
          ['-cp', join(directory, 'jars', '*'), 'kafka.tools.StorageTool', 'format'],
          ['--cluster-id', CLUSTER_ID, '--config', properties],
          users,
        ].flat(),
      );
    });
    await installOnce(CLASSES_NAME, (directory) =>
      recordClasses(kafka, place, directory, (flag) => broker(place, flag)),
    );
    return place;
  },

  async prepare({ directory, ports }, installed) {
    const certificates = await makeCertificates(directory);
    const data = join(directory, 'data');
    await writeFile(join(directory, 'server.properties'), kafkaProperties({ ports, data, certificates }));
    if (existsSync(data)) return;
    await rm(`${data}.tmp`, { recursive: true, force: true });
    cpSync(join(installed, 'formatted'), `${data}.tmp`, { recursive: true });
    await rename(`${data}.tmp`, data);
  },

  command: (_run, installed) =>
    broker(installed, `-XX:SharedArchiveFile=${join(dirname(installed), CLASSES_NAME, CLASSES)}`),

  healthy: (run) => answersApiVersions(portOf(run, 'plaintext')),

  environment: (run) => ({
    SLUICE_KAFKA: `${HOST}:${portOf(run, 'plaintext')}`,
    SLUICE_KAFKA_SASL: `${HOST}:${portOf(run, 'sasl')}`,
    SLUICE_KAFKA_TLS: `${HOST}:${portOf(run, 'tls')}`,
    SLUICE_KAFKA_CA: join(run.directory, 'ca.pem'),
    SLUICE_KAFKA_USER: KAFKA_USER.name,
    SLUICE_KAFKA_PASSWORD: KAFKA_USER.password,
  }),
};

/** The JVM of a broker, with one more flag. */
function broker(installed: string, flag: string): Command {
  const heap = process.env.KAFKA_HEAP ?? '-Xms256m -Xmx512m';
  return {
    program: 'java',
    args: [
      [flag, '-XX:+UseSerialGC', ...heap.split(/\s+/)],
      [`-Dlog4j2.configurationFile=${join(installed, 'log4j2.properties')}`],
      ['-cp', join(installed, 'jars', '*'), 'kafka.Kafka', 'server.properties'],
    ].flat(),
  };
}

/**
 * Whether a broker answers ApiVersions (key 18, version 0; https://kafka.apache.org/protocol.html#The_Messages_ApiVersions)
 * with error code 0. The socket opens before the broker is ready; the answer comes after.
 */
function answersApiVersions(port: number): Promise<boolean> {
  const correlation = 7;
  // Size, API key, version, correlation id, client id null.
  const request = Buffer.from([0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, correlation, 0xff, 0xff]);
  return exchange(port, request, (answer) =>
    answer.length < 10 ? undefined : answer.readInt32BE(4) === correlation && answer.readInt16BE(8) === 0,
  );
}

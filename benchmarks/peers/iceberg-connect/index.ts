import { cpSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { installOnce } from '../../../scripts/services/cache.ts';
import { execute } from '../../../scripts/services/execute.ts';
import { JAVA } from '../../../scripts/services/java.ts';
import { KAFKA_VERSION } from '../../../scripts/services/kafka.ts';
import { MAVEN, copyJars } from '../../../scripts/services/maven.ts';
import { createTopic } from '../../../scripts/services/topic.ts';
import { requireTools } from '../../../scripts/services/tools.ts';
import { digestOf } from '../../harness/machine.ts';
import { isCommitted, withAdmin } from '../committed.ts';
import { environmentOf, type Installed, type Job, type Peer } from '../peer.ts';
import { catalogFile, connectorProperties, controlTopic, workerProperties } from './properties.ts';
import { snapshotRows } from './snapshot.ts';

const ICEBERG = '1.10.1';
const AWS = '2.33.13';
const HADOOP = '3.4.1';
/** Kafka Connect speaks slf4j 1.7. */
const LOG4J = '2.25.1';
const ARTIFACTS = [
  `org.apache.kafka:connect-runtime:${KAFKA_VERSION}`,
  `org.apache.kafka:connect-json:${KAFKA_VERSION}`,
  ...['kafka-connect', 'kafka-connect-transforms', 'aws', 'parquet'].map(
    (name) => `org.apache.iceberg:iceberg-${name}:${ICEBERG}`,
  ),
  ...['s3', 'sts', 'kms', 'apache-client', 'url-connection-client'].map(
    (name) => `software.amazon.awssdk:${name}:${AWS}`,
  ),
  // Its Parquet writer asks for Hadoop's classes, its catalog here is a SQLite file.
  `org.apache.hadoop:hadoop-client-api:${HADOOP}`,
  `org.apache.hadoop:hadoop-client-runtime:${HADOOP}`,
  'org.xerial:sqlite-jdbc:3.50.3.0',
  `org.apache.logging.log4j:log4j-slf4j-impl:${LOG4J}`,
];
const FOLDER = import.meta.dirname;

/** Apache Iceberg's sink for Kafka Connect, in a standalone worker. */
export const icebergConnect: Peer = {
  name: 'iceberg-connect',
  title: 'Iceberg Kafka Connect',
  identity: { partition: '_kafka_metadata.partition', offset: '_kafka_metadata."offset"' },

  async install() {
    const [, maven] = await requireTools('benchmark peer iceberg-connect', [JAVA, MAVEN]);
    const key = digestOf(
      ['index.ts', 'Table.java'].map((name) => `benchmarks/peers/iceberg-connect/${name}`),
    );
    const directory = await installOnce(`peer-iceberg-connect-${key}`, async (place) => {
      await copyJars(maven!, place, ARTIFACTS);
      cpSync(join(FOLDER, 'Table.java'), join(place, 'Table.java'));
      await execute('javac', [
        '-cp',
        join(place, 'jars', '*'),
        '-d',
        join(place, 'classes'),
        join(FOLDER, 'Table.java'),
      ]);
    });
    return {
      directory,
      versions: {
        iceberg: ICEBERG,
        'kafka-connect': KAFKA_VERSION,
        program: digestOf(['benchmarks/peers/iceberg-connect']),
      },
    };
  },

  async prepare(job, installed) {
    await withAdmin(job.servers.broker, (admin) => createTopic(admin, controlTopic(job), 1));
    const write = (name: string, values: Readonly<Record<string, string | number | boolean>>) =>
      writeFileSync(
        join(job.directory, name),
        Object.entries(values)
          .map(([key, value]) => `${key}=${value}\n`)
          .join(''),
      );
    write('worker.properties', workerProperties(job));
    write('connector.properties', connectorProperties(job));
    await table('create', job, installed);
  },

  command: (job, installed) => ({
    program: 'java',
    args: [
      ['-Xms512m', '-Xmx2g', `-Dlog4j2.configurationFile=${join(FOLDER, 'log4j2.properties')}`],
      ['-cp', classPath(installed), 'org.apache.kafka.connect.cli.ConnectStandalone'],
      ['worker.properties', 'connector.properties'],
    ].flat(),
    env: environmentOf(job),
  }),

  // Its tasks commit positions first, then its coordinator commits the files to the table.
  isDone: async (job) =>
    (await isCommitted(job, `connect-${job.group}`)) &&
    snapshotRows(catalogFile(job), (location) => fileOf(job, location)) >= job.messages,

  // What was uploaded and never committed is not in the table.
  files: async (job, installed) =>
    (await table('files', job, installed))
      .split('\n')
      .filter((line) => line.startsWith('s3://'))
      .map((location) => fileOf(job, location)),
};

function fileOf({ bucket }: Job, location: string): string {
  return location.replace(`s3://${bucket.name}`, bucket.directory);
}

function classPath({ directory }: Installed): string {
  return [join(directory, 'classes'), join(directory, 'jars', '*')].join(delimiter);
}

async function table(verb: 'create' | 'files', job: Job, installed: Installed): Promise<string> {
  const file = join(job.directory, 'connector.properties');
  return execute('java', ['-cp', classPath(installed), 'Table', verb, file], {
    cwd: job.directory,
    env: environmentOf(job),
  });
}

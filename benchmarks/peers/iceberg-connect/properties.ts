import { join } from 'node:path';
import type { Job } from '../peer.ts';

/** Name of the topic by which the connector's tasks agree on commits. */
export function controlTopic(job: Job): string {
  return `control-${job.group}`;
}

/** The SQLite file that is the catalog of a job. */
export function catalogFile(job: Job): string {
  return join(job.directory, 'catalog.db');
}

/** The worker's configuration: https://kafka.apache.org/documentation/#connectconfigs */
export function workerProperties(job: Job): Record<string, string | number | boolean> {
  return {
    'bootstrap.servers': job.servers.broker,
    // All of its plugins say what they are: no search through every class of 150 jars.
    'plugin.discovery': 'service_load',
    listeners: 'http://127.0.0.1:0',
    'offset.storage.file.filename': 'connect.offsets',
    'offset.flush.interval.ms': 5000,
    'key.converter': 'org.apache.kafka.connect.converters.ByteArrayConverter',
    'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
    'value.converter.schemas.enable': false,
    'consumer.auto.offset.reset': 'earliest',
    'consumer.max.poll.records': 5000,
    'consumer.max.partition.fetch.bytes': 4 * 1024 ** 2,
    'consumer.fetch.max.bytes': 32 * 1024 ** 2,
  };
}

/** The connector's configuration, catalog included: https://iceberg.apache.org/docs/latest/kafka-connect/ */
export function connectorProperties(job: Job): Record<string, string | number | boolean> {
  const { environment, endpoint } = job.servers;
  const catalog = {
    'catalog-impl': 'org.apache.iceberg.jdbc.JdbcCatalog',
    // Its tasks read while its coordinator writes.
    uri: `jdbc:sqlite:${catalogFile(job)}?journal_mode=WAL&busy_timeout=10000`,
    'jdbc.schema-version': 'V1',
    warehouse: `s3://${job.bucket.name}`,
    'io-impl': 'org.apache.iceberg.aws.s3.S3FileIO',
    's3.endpoint': endpoint,
    's3.path-style-access': true,
    's3.access-key-id': environment['AWS_ACCESS_KEY_ID']!,
    's3.secret-access-key': environment['AWS_SECRET_ACCESS_KEY']!,
    'client.region': environment['AWS_REGION']!,
  };
  return {
    name: job.group,
    'connector.class': 'org.apache.iceberg.connect.IcebergSinkConnector',
    'tasks.max': 2,
    topics: job.topic,
    transforms: 'position',
    'transforms.position.type': 'org.apache.iceberg.connect.transforms.KafkaMetadataTransform',
    'transforms.position.nested': true,
    'iceberg.tables': 'bench.content',
    'iceberg.control.topic': controlTopic(job),
    'iceberg.control.commit.interval-ms': 10_000,
    ...Object.fromEntries(Object.entries(catalog).map(([key, value]) => [`iceberg.catalog.${key}`, value])),
  };
}

/** The adapters that a configuration names: what else runs is the same for all of them. */
import { join } from 'node:path';
import { createDirectoryStore, createS3Store, newestPositions } from './archive/index.ts';
import type { Config } from './config.ts';
import { MisconfiguredError } from './errors.ts';
import type { Events } from './events.ts';
import {
  createConfluentClient,
  createFileSource,
  createKafkaSource,
  loadConfluentLibrary,
} from './ingest/index.ts';
import type { KafkaConfig } from './kafka.ts';
import { createDeadLetterTopic, type DeadLetterTopic } from './sinks/index.ts';
import { MAX_TRANSACTION_AGE, type Source, type Store } from './ports.ts';
import type { Position } from './types.ts';

/** The archive's store. */
export function openStore({ name, source, archive: { store } }: Config): Store {
  if (store.type === 's3') return createS3Store({ config: store, owner: name });
  // A consumer group may have other members at work on the same directory; a file source has one process.
  const sweepAge = source.type === 'kafka' ? 2 * MAX_TRANSACTION_AGE : 0;
  return createDirectoryStore({ path: store.path, owner: name, sweepAge });
}

/** The source. `until`: where reading ends instead of at the partitions' ends. */
export function openSource(
  config: Config,
  store: Store,
  events: Events,
  { until }: { readonly until?: readonly Position[] },
): Source {
  const { name, source, archive } = config;
  if (source.type === 'kafka') {
    const kafka = kafkaOf(config, 'source.type kafka');
    const isConfluent = kafka.client === 'confluent';
    return createKafkaSource(source, {
      kafka,
      group: source.group ?? name,
      ...(isConfluent ? { createClient: createConfluentClient, loadClient: loadConfluentLibrary } : {}),
      ledger: (partitions) => newestPositions(store, { pipeline: name, partitions }),
      ...(until ? { until } : {}),
      onExpired: (range) => events.offsetsExpired(range),
      onRetrying: (operation, error) => events.sourceFailed({ error: `${operation}: ${error.message}` }),
    });
  }
  if (archive.store.type !== 'directory') {
    throw new MisconfiguredError(
      `archive.store.type: expected directory beside a source of type file, whose positions lie in it, got ${archive.store.type}`,
    );
  }
  return createFileSource(source, { positionFile: positionFileOf(archive.store.path, name) });
}

/** Where a file source keeps its positions: in its archive. */
export function positionFileOf(archive: string, pipeline: string): string {
  return join(archive, '_sluice', `${pipeline}.positions`);
}

/** The topic for dead letters, if there is one. */
export function openDeadLetterTopic(config: Config): DeadLetterTopic | undefined {
  const { source, dead_letters } = config;
  const { topic } = dead_letters;
  if (topic === undefined) return undefined;
  const { topics = [], pattern } = source.type === 'kafka' ? source : {};
  if (topics.includes(topic) || (pattern !== undefined && new RegExp(pattern, 'u').test(topic))) {
    throw new MisconfiguredError(
      `dead_letters.topic: expected a topic that the source does not read, got ${topic}: each dead letter would become another one`,
    );
  }
  return createDeadLetterTopic({ topic, kafka: kafkaOf(config, 'dead_letters.topic') });
}

/** How to reach the brokers that `who` needs. Throws MisconfiguredError when the configuration does not say. */
export function kafkaOf({ kafka }: Config, who: string): KafkaConfig {
  if (kafka) return kafka;
  throw new MisconfiguredError(`kafka: expected brokers, since ${who} needs them, got nothing`);
}

import { kafkaOf, positionFileOf } from './adapters.ts';
import type { Commits } from './archive/index.ts';
import type { Config } from './config.ts';
import { MisconfiguredError } from './errors.ts';
import {
  committedPositions,
  openKafkaGroup,
  subscriptionOf,
  type KafkaGroup,
  type KafkaSourceConfig,
} from './ingest/index.ts';
import { createWaitingNote } from './waiting.ts';

/** The consumer group that a configuration with a Kafka source names, from outside; waiting for it is said on standard error. */
export function groupOf(config: Config, source: KafkaSourceConfig): KafkaGroup {
  const subscription = subscriptionOf(source, config.feedback ? [config.feedback.topic] : []);
  const kafka = kafkaOf(config, 'source.type kafka');
  return openKafkaGroup(kafka, source.group ?? config.name, subscription, createWaitingNote());
}

/** What the source that a configuration names has committed, read without disturbing whoever runs it. */
export function openCommits(config: Config): Commits & { close(): void } {
  const { source, name, archive } = config;
  if (source.type === 'kafka') {
    const group = groupOf(config, source);
    return {
      positions: () => group.committed(),
      ends: () => group.offsets('latest'),
      expire: true,
      close: () => group.close(),
    };
  }
  if (archive.store.type !== 'directory') {
    throw new MisconfiguredError(
      'archive.store.type: expected directory beside a source of type file, whose positions lie in it; with --archive-only they are not needed',
    );
  }
  const file = positionFileOf(archive.store.path, name);
  return {
    positions: () => committedPositions(file, source.topic),
    expire: false,
    start: 0,
    close: () => undefined,
  };
}

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
  isRemote,
  isSubscribed,
  loadConfluentLibrary,
  subscriptionOf,
  type ArchiveSlice,
  type RemoteInputsOptions,
} from './ingest/index.ts';
import type { KafkaConfig } from './kafka.ts';
import { patiently } from './lifecycle.ts';
import { createObjectFiles } from './object-files.ts';
import { s3ConnectionConfig } from './s3-connection-config.ts';
import {
  createDeadLetterTopic,
  createFanOut,
  filtersOf,
  openSink,
  wantsText,
  type DeadLetterTopic,
  type FanOut,
} from './sinks/index.ts';
import { MAX_TRANSACTION_AGE, type Source, type Store } from './ports.ts';
import type { Position } from './types.ts';

/** The archive's store. */
export function openStore({ name, source, archive: { store } }: Config): Store {
  if (store.type === 's3') return createS3Store({ config: store, owner: name });
  // A consumer group may have other members at work on the same directory; a file source has one process.
  const sweepAge = source.type === 'kafka' ? 2 * MAX_TRANSACTION_AGE : 0;
  return createDirectoryStore({ path: store.path, owner: name, sweepAge });
}

/** What a caller of {@link openSource} may decide beside the configuration; see `PipelineOptions`. */
export interface SourceChoices {
  readonly until?: readonly Position[];
  readonly slice?: ArchiveSlice;
  readonly sizes?: ReadonlyMap<string, number>;
}

/** The source. */
export function openSource(
  config: Config,
  store: Store,
  events: Events,
  { until, slice, sizes }: SourceChoices,
): Source {
  const { name, source, feedback, archive } = config;
  if (source.type === 'kafka') {
    const kafka = kafkaOf(config, 'source.type kafka');
    const isConfluent = kafka.client === 'confluent';
    return createKafkaSource(source, {
      kafka,
      group: source.group ?? name,
      feedbackTopic: feedback?.topic,
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
  const positionFile = positionFileOf(archive.store.path, name);
  return createFileSource(source, {
    positionFile,
    ...(slice ? { slice } : {}),
    ...(source.inputs.some(isRemote) ? { remote: remoteInputs(config, positionFile, events, sizes) } : {}),
  });
}

/** Inputs in S3: what passes by itself is waited out, as at a start. */
function remoteInputs(
  { classify }: Config,
  positionFile: string,
  events: Events,
  sizes: ReadonlyMap<string, number> = new Map(),
): RemoteInputsOptions {
  const objects = createObjectFiles(classify.s3 ?? s3ConnectionConfig.parse({}));
  const stopping = new AbortController();
  return {
    directory: `${positionFile}.inputs`,
    download: (url, file) =>
      patiently(() => objects.download(url, file), {
        signal: stopping.signal,
        onDelay: (error) => events.sourceFailed({ error: error.message }),
      }),
    sizeOf: (url) => sizes.get(url),
    close() {
      stopping.abort();
      objects.close();
    },
  };
}

/** Where a file source keeps its positions: in its archive. */
export function positionFileOf(archive: string, pipeline: string): string {
  return join(archive, '_sluice', `${pipeline}.positions`);
}

/** The topic for dead letters, if there is one. */
export function openDeadLetterTopic(config: Config): DeadLetterTopic | undefined {
  const { topic } = config.dead_letters;
  if (topic === undefined) return undefined;
  refuseReadTopic(config, 'dead_letters.topic', topic);
  return createDeadLetterTopic({ topic, kafka: kafkaOf(config, 'dead_letters.topic') });
}

/** What the pipeline writes to must not be what it reads: each message would become another one, for ever. */
function refuseReadTopic({ source, feedback }: Config, at: string, topic: string): void {
  const subscription = subscriptionOf(
    source.type === 'kafka' ? source : {},
    feedback ? [feedback.topic] : [],
  );
  if (!isSubscribed(subscription, topic)) return;
  throw new MisconfiguredError(
    `${at}: expected a topic that the source does not read, got ${topic}: each record of it would become another one`,
  );
}

/** All sinks, opened; nothing is connected yet. */
export async function openFanOut(config: Config, events: Events): Promise<FanOut> {
  const written = new Map([[config.dead_letters.topic, 'dead_letters.topic']]);
  for (const [name, sink] of Object.entries(config.sinks)) {
    if (sink.type !== 'kafka') continue;
    const at = `sinks.${name}.topic`;
    refuseReadTopic(config, at, sink.topic);
    const other = written.get(sink.topic);
    if (other !== undefined)
      throw new MisconfiguredError(
        `${at}: expected a topic of its own, got ${sink.topic}, which is ${other}`,
      );
    written.set(sink.topic, at);
  }
  const branches = Object.entries(config.sinks).map(async ([name, sink]) => ({
    name,
    filters: filtersOf(sink),
    text: wantsText(sink),
    sink: await openSink(sink, {
      at: `sinks.${name}`,
      kafka: () => kafkaOf(config, `sinks.${name} of type ${sink.type}`),
    }),
  }));
  return createFanOut({
    branches: await Promise.all(branches),
    timeout: config.sink_timeout,
    maxRefusals: config.ingest.dead_letters.max_consecutive,
    onDelivered: (delivered) => events.delivered(delivered),
    onRetry: (retry) => events.deliveryRetried(retry),
  });
}

/** How to reach the brokers that `who` needs. Throws MisconfiguredError when the configuration does not say. */
export function kafkaOf({ kafka }: Config, who: string): KafkaConfig {
  if (kafka) return kafka;
  throw new MisconfiguredError(`kafka: expected brokers, since ${who} needs them, got nothing`);
}

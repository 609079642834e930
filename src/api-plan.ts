import { kafkaOf } from './adapters.ts';
import {
  trackContent,
  type ApiConfig,
  type ContentShape,
  type Examine,
  type OutRecord,
} from './api/index.ts';
import type { Config } from './config.ts';
import { MisconfiguredError } from './errors.ts';
import { createExaminers, type Examined } from './ingest/index.ts';
import type { KafkaConfig } from './kafka.ts';
import { ACTIONS } from './types.ts';

/** What the HTTP API writes to and reads, as a configuration says. */
export interface ApiPlan {
  readonly api: ApiConfig;
  readonly kafka: KafkaConfig;
  readonly contentTopic: string;
  readonly shape: ContentShape;
  readonly feedbackTopic: string | undefined;
  /** Undefined: nothing is waited for. */
  readonly decisionsTopic: string | undefined;
  readonly examine: Readonly<Record<'content' | 'feedback', Examine>>;
}

/** What the sections of a configuration come to together. Throws MisconfiguredError where they do not fit each other. */
export function planApi(config: Config): ApiPlan {
  const { api: settings, ingest } = config;
  if (!settings)
    throw new MisconfiguredError(
      'api: expected a section with the keys of customers (docs/api.md), got nothing',
    );
  const plan = {
    api: settings,
    kafka: kafkaOf(config, 'api'),
    contentTopic: contentTopicOf(config, settings),
    feedbackTopic: config.feedback?.topic,
    decisionsTopic: decisionsTopicOf(config, settings),
  };
  if (ingest.preset === 'debezium')
    throw new MisconfiguredError(
      'ingest.preset: expected sluice or koko beside api, got debezium: the HTTP API writes no change envelopes',
    );
  const examiners = createExaminers(ingest);
  const content = (record: OutRecord) => examiners.content(bytesOf(record));
  const feedback = (record: OutRecord) => examiners.feedback(bytesOf(record));
  const shape = ingest.preset;
  checkMapping(shape, content);
  return { ...plan, shape, examine: { content, feedback } };
}

/** Messages that the source reads elsewhere than the API writes them would all be dead letters, or somebody else's. */
function checkMapping(shape: ContentShape, look: (record: OutRecord) => Examined): void {
  const sample = { id: 'id of a sample', type: 'post', content: { text: 'text of a sample' } };
  const { record } = trackContent(sample, { customer: 'customer of a sample', topic: 'sample', shape });
  const found = look(record);
  const problem =
    found.kind === 'dead'
      ? found.detail
      : found.customer !== 'customer of a sample'
        ? 'another customer'
        : found.contentId !== sample.id
          ? 'another id'
          : found.text === sample.content.text
            ? undefined
            : 'another text';
  if (problem === undefined) return;
  throw new MisconfiguredError(
    `ingest.fields: expected them where the HTTP API writes them (customer, id, text; with preset koko content.text), got ${problem}; give the API a pipeline of its own, or take them out`,
  );
}

function bytesOf({ key, value, headers }: OutRecord) {
  return {
    key: Buffer.from(key),
    value: Buffer.from(value),
    headers: Object.entries(headers).map(([name, text]) => ({ name, value: Buffer.from(text) })),
  };
}

/** The topic of content: one that the source reads, else nothing would ever come of it. */
function contentTopicOf({ source }: Config, { topic }: ApiConfig): string {
  if (source.type !== 'kafka')
    throw new MisconfiguredError(
      `source.type: expected kafka beside api, which writes to its topic, got ${source.type}`,
    );
  const { topics = [], pattern } = source;
  const found = topic ?? (topics.length === 1 ? topics[0] : undefined);
  if (found === undefined)
    throw new MisconfiguredError(
      'api.topic: expected the topic that content is written to, as the source does not read just one, got nothing',
    );
  const isRead = topics.includes(found) || (pattern !== undefined && new RegExp(pattern, 'u').test(found));
  if (!isRead)
    throw new MisconfiguredError(`api.topic: expected a topic that the source reads, got ${found}`);
  return found;
}

/** The topic of a sink that is told every decision: any request may wait for its own. */
function decisionsTopicOf({ sinks }: Config, { max_wait }: ApiConfig): string | undefined {
  if (max_wait === 0) return undefined;
  const names: string[] = [];
  for (const [name, sink] of Object.entries(sinks)) {
    if (sink.type !== 'kafka') continue;
    const isTold = ACTIONS.every((action) => sink.actions.includes(action));
    if (isTold && !sink.labels && !sink.customers) return sink.topic;
    names.push(name);
  }
  const got =
    names.length === 0 ? 'none' : `${names.map((name) => `sinks.${name}`).join(', ')}, told some only`;
  throw new MisconfiguredError(
    `api.max_wait: expected a sink of type kafka that is told every decision (actions: [allow, review, block], no labels, no customers), since requests may wait for theirs, got ${got}; or set api.max_wait to 0s`,
  );
}

import { productVersions } from '../harness/machine.ts';
import { isWanted, type Measurement, type Suite, type SuiteOptions } from '../harness/sample.ts';
import { openServers, type Servers } from '../harness/servers.ts';
import { TOPIC_CODECS, USUAL_TOPIC, fillTopic, type TopicOptions } from '../harness/topic.ts';
import { runJob } from '../peers/run-job.ts';
import { createSluice, type SluiceOptions } from '../peers/sluice/index.ts';
import { miniLm } from '../models/minilm.ts';
import { FLUSH_ROWS } from './peers.ts';

/** One way to run Sluice. */
interface Variant {
  readonly name: string;
  readonly title: string;
  readonly topic: TopicOptions;
  readonly sluice: SluiceOptions;
}

const DROP = { model: 'drop' } as const;
const MESSAGES = 2_000_000;
/** Bytes of a topic of large messages, so that it is not several gigabytes. */
const LARGE = 600_000_000;

/** Kafka to Parquet on S3 by Sluice: customers, message sizes, codecs and models, one changed at a time. */
export async function openPipeline(options: SuiteOptions): Promise<Suite> {
  const servers = await openServers();
  const measurements = variants(await miniLm(), options.messages)
    .filter(({ name }) => isWanted(name, options))
    .map((variant) => pipelineMeasurement(servers, variant));
  return { name: 'pipeline', measurements, close: () => servers.close() };
}

/** The variants of the suite; `messages` replaces the number of each. */
export function variants(miniLmFolder: string, messages?: number): Variant[] {
  const topic = (changes: Partial<TopicOptions>): TopicOptions => ({
    ...USUAL_TOPIC,
    messages: messages ?? Math.min(MESSAGES, Math.floor(LARGE / (changes.bytes ?? USUAL_TOPIC.bytes))),
    ...changes,
  });
  const few = (count: number) => ({ messages: messages === undefined ? count : Math.min(count, messages) });
  return [
    { name: 'usual', title: '300 B, 50 customers, zstd, no model', topic: topic({}), sluice: DROP },
    { name: 'start', title: 'start and end: one message', topic: topic({ messages: 1 }), sluice: DROP },
    ...[10, 100, 1000].map((customers) => ({
      name: `customers-${customers}`,
      title: `${customers.toLocaleString('en')} customers`,
      topic: topic({ customers }),
      sluice: DROP,
    })),
    ...[100, 2000].map((bytes) => ({
      name: `bytes-${bytes}`,
      title: `messages of ${bytes.toLocaleString('en')} B`,
      topic: topic({ bytes }),
      sluice: DROP,
    })),
    ...TOPIC_CODECS.filter((codec) => codec !== USUAL_TOPIC.codec).map((codec) => ({
      name: `topic-${codec}`,
      title: `topic compressed by ${codec}`,
      topic: topic({ codec }),
      sluice: DROP,
    })),
    ...(['snappy', 'none'] as const).map((compression) => ({
      name: `parquet-${compression}`,
      title: `Parquet compressed by ${compression}`,
      topic: topic({}),
      sluice: { ...DROP, compression },
    })),
    {
      name: 'default-model',
      title: 'bundled model, languages detected',
      topic: topic(few(200_000)),
      sluice: { model: 'default' },
    },
    {
      name: 'minilm-model',
      title: 'model of the size of MiniLM-L6, int8',
      topic: topic(few(5_000)),
      sluice: { model: miniLmFolder },
    },
  ];
}

function pipelineMeasurement(servers: Servers, { name, title, topic, sluice }: Variant): Measurement {
  const peer = createSluice(sluice);
  const run = async (messages: number) =>
    runJob(peer, await peer.install(), {
      servers,
      topic: await fillTopic(servers.broker, { ...topic, messages }),
      messages,
      flushRows: FLUSH_ROWS,
    });
  const { model, compression = 'zstd' } = sluice;
  return {
    name,
    title,
    unit: 'messages',
    parameters: { ...topic, model: model.split('/').at(-1)!, parquet: compression, flush_rows: FLUSH_ROWS },
    versions: productVersions(),
    warmUp: () => run(Math.max(1, Math.ceil(topic.messages / 10))),
    sample: () => run(topic.messages),
  };
}

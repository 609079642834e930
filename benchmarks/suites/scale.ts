import { OperationalError } from '../../src/errors.ts';
import { productVersions, thisMachine } from '../harness/machine.ts';
import { growthOf } from '../harness/memory-growth.ts';
import { isWanted, type Measurement, type Sample, type Suite, type SuiteOptions } from '../harness/sample.ts';
import { openServers, type Servers } from '../harness/servers.ts';
import { USUAL_TOPIC, fillTopic } from '../harness/topic.ts';
import { countJob, openJob, startPeer, untilDone } from '../peers/run-job.ts';
import { createSluice } from '../peers/sluice/index.ts';
import { FLUSH_ROWS } from './peers.ts';

const MESSAGES = 2_000_000;
const MODEL_MESSAGES = 200_000;

/** One process and two of one group on the same topic; what many customers cost in memory. */
export async function openScale(options: SuiteOptions): Promise<Suite> {
  const servers = await openServers();
  const all = [
    ...[1, 2].map((processes) => scaleMeasurement(servers, { processes, model: 'drop', ...options })),
    ...[1, 2].map((processes) => scaleMeasurement(servers, { processes, model: 'default', ...options })),
    memoryMeasurement(servers, options),
  ];
  return {
    name: 'scale',
    measurements: all.filter(({ name }) => isWanted(name, options)),
    close: () => servers.close(),
  };
}

function scaleMeasurement(
  servers: Servers,
  options: { readonly processes: number; readonly model: string; readonly messages?: number | undefined },
): Measurement {
  const { processes, model } = options;
  const messages = options.messages ?? (model === 'drop' ? MESSAGES : MODEL_MESSAGES);
  // With one thread each, two processes have what one with two has: the cores of a small machine are shared.
  const workers = Math.max(1, Math.floor(thisMachine().cores / 2));
  const run = (count: number) => runTogether(servers, { processes, model, workers, messages: count });
  return {
    name: `${model}-${processes}`,
    title: `${processes === 1 ? 'one process' : `${processes} processes`} with ${workers} worker each, ${model === 'drop' ? 'no model' : 'bundled model'}`,
    unit: 'messages',
    parameters: { messages, ...USUAL_TOPIC, processes, workers, model, flush_rows: FLUSH_ROWS },
    versions: productVersions(),
    warmUp: () => run(Math.ceil(messages / 10)),
    sample: () => run(messages),
  };
}

async function runTogether(
  servers: Servers,
  options: {
    readonly processes: number;
    readonly model: string;
    readonly workers: number;
    readonly messages: number;
  },
): Promise<Sample> {
  const { processes, model, workers, messages } = options;
  const classify = { model, language: model === 'drop' ? 'off' : 'detect', workers };
  const peer = createSluice({ model, more: { classify } });
  const installed = await peer.install();
  const topic = await fillTopic(servers.broker, { ...USUAL_TOPIC, messages });
  const job = await openJob(peer, { servers, topic, messages, flushRows: FLUSH_ROWS });
  try {
    await peer.prepare?.(job, installed);
    const running = Array.from({ length: processes }, () => startPeer(peer, installed, job));
    const usages = await Promise.all(running.map((each) => untilDone(peer, installed, job, each)));
    const { lost, twice } = await countJob(peer, installed, job);
    if (lost > 0 || twice > 0)
      throw new OperationalError(`expected every message once, ${lost} are lost and ${twice} twice`);
    return {
      count: messages,
      seconds: Math.max(...usages.map(({ seconds }) => seconds)),
      cpuSeconds: usages.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0),
      peakRss: usages.reduce((sum, { peakRss }) => sum + peakRss, 0),
      lost,
      twice,
    };
  } finally {
    job.remove();
  }
}

/** Memory with 1,000 customers: its peak, and how it grows between the first and the last third of a run. */
function memoryMeasurement(servers: Servers, options: SuiteOptions): Measurement {
  const customers = 1000;
  const messages = options.messages ?? MESSAGES;
  const peer = createSluice();
  return {
    name: 'memory-1000-customers',
    title: '1,000 customers: memory',
    unit: 'messages',
    parameters: { messages, ...USUAL_TOPIC, customers, flush_rows: FLUSH_ROWS / 5 },
    versions: productVersions(),
    async sample() {
      const installed = await peer.install();
      const topic = await fillTopic(servers.broker, { ...USUAL_TOPIC, customers, messages });
      const job = await openJob(peer, { servers, topic, messages, flushRows: FLUSH_ROWS / 5 });
      try {
        await peer.prepare?.(job, installed);
        const running = startPeer(peer, installed, job);
        const usage = await untilDone(peer, installed, job, running);
        return {
          count: messages,
          ...usage,
          more: growthOf(running.memory),
        };
      } finally {
        job.remove();
      }
    },
  };
}

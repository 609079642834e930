import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Kafka } from 'kafkajs';
import { stringify } from 'yaml';
import { createTopic } from '../../scripts/services/topic.ts';
import { OperationalError } from '../../src/errors.ts';
import { kafkaClientOptions, kafkaConfig } from '../../src/kafka.ts';
import { productVersions } from '../harness/machine.ts';
import { endedBadly, startMeasured } from '../harness/measured-process.ts';
import type { Sample, Suite, SuiteOptions } from '../harness/sample.ts';
import { openServers, type Servers } from '../harness/servers.ts';
import { PARTITIONS } from '../harness/topic.ts';
import { quantile } from '../harness/statistics.ts';
import { produce } from '../paced/produce.ts';
import { SECRET, startReceiver, type Came } from '../paced/receiver.ts';

const CLI = resolve(import.meta.dirname, '../../bin/sluice.js');
/** Messages per second, seconds that are measured, seconds before them. */
const RATE = 500;
const SECONDS = 30;
const WARM_UP = 5;

/**
 * From a message written to Kafka until its webhook has come in at a receiver: the command line with the bundled model, a real
 * broker, a real Redis, every message told. Times are of one machine's clock, in whole milliseconds.
 */
export async function openLatency({ messages }: SuiteOptions): Promise<Suite> {
  const servers = await openServers(['redis']);
  const seconds = messages === undefined ? SECONDS : Math.max(1, Math.ceil(messages / RATE));
  return {
    name: 'latency',
    measurements: [
      {
        name: 'webhook',
        title: `produced → webhook received, bundled model, ${RATE} messages/s`,
        unit: 'messages',
        parameters: { rate: RATE, seconds, bytes: 300 },
        versions: productVersions(),
        sample: () => sampleLatency(servers, seconds),
      },
    ],
    close: () => servers.close(),
  };
}

async function sampleLatency(servers: Servers, seconds: number): Promise<Sample> {
  const brokers = [servers.broker];
  const name = `latency-${Date.now().toString(36)}`;
  const kafka = new Kafka(kafkaClientOptions(kafkaConfig.parse({ brokers })));
  const admin = kafka.admin();
  await admin.connect();
  await createTopic(admin, name, PARTITIONS);
  const receiver = await startReceiver();
  const directory = mkdtempSync(join(tmpdir(), 'bench-latency-'));
  const log = join(directory, 'output.log');
  writeFileSync(join(directory, 'sluice.yaml'), stringify(configOf(servers, name, receiver.url)));
  const command = {
    program: process.execPath,
    args: [CLI, 'run', join(directory, 'sluice.yaml')],
    env: { ...servers.environment },
  };
  const pipeline = startMeasured({ command, directory, log });
  try {
    while (!readFileSync(log, 'utf8').includes('"assignment-recovered"')) {
      if (pipeline.hasEnded()) throw endedBadly({ command, directory, log }, await pipeline.ended);
      await delay(50);
    }
    const producer = kafka.producer();
    await producer.connect();
    const before = pipeline.usage();
    const messages = await produce(producer, {
      topic: name,
      rate: RATE,
      seconds: seconds + WARM_UP,
      customers: 50,
    });
    await producer.disconnect();
    const deadline = Date.now() + 30_000;
    while (receiver.came.size < messages) {
      if (Date.now() > deadline)
        throw new OperationalError(
          `expected ${messages} webhooks within 30 s of the last message, got ${receiver.came.size}`,
        );
      await delay(50);
    }
    const after = pipeline.usage();
    return {
      count: messages,
      seconds: after.seconds - before.seconds,
      cpuSeconds: after.cpuSeconds - before.cpuSeconds,
      peakRss: after.peakRss,
      more: distribution([...receiver.came.values()]),
    };
  } finally {
    await pipeline.end('SIGTERM');
    await admin.deleteTopics({ topics: [name] });
    await admin.disconnect();
    receiver.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

function configOf(servers: Servers, name: string, url: string) {
  return {
    name,
    kafka: { brokers: [servers.broker] },
    source: { type: 'kafka', topics: [name] },
    archive: { store: { type: 'directory', path: './out' } },
    sinks: {
      hooks: {
        type: 'webhooks',
        redis: servers.environment['SLUICE_REDIS'],
        prefix: name,
        allow_http: true,
        allow_private: ['127.0.0.0/8'],
        remember: '1m',
        endpoints: { all: { url, secrets: [SECRET], actions: ['allow', 'review', 'block'] } },
      },
    },
  };
}

/** Percentiles of the whole way and of each stage of it, without the messages of the warm-up. */
function distribution(all: readonly Came[]): Record<string, number> {
  const start = Math.min(...all.map(({ decision }) => Date.parse(decision.produced_at!))) + WARM_UP * 1000;
  const came = all.filter(({ decision }) => Date.parse(decision.produced_at!) >= start);
  const since = (from: string | null, to: string) => Date.parse(to) - Date.parse(from!);
  const stages: Record<string, (one: Came) => number> = {
    whole: ({ at, decision }) => at - Date.parse(decision.produced_at!),
    'until read': ({ decision }) => since(decision.produced_at, decision.received_at),
    'until a worker takes it': ({ decision }) => decision.timings.wait,
    decode: ({ decision }) => decision.timings.decode,
    classify: ({ decision }) => decision.timings.classify,
    'decided until received': ({ at, decision }) => at - Date.parse(decision.decided_at),
  };
  const figures: Record<string, number> = {};
  for (const [name, stage] of Object.entries(stages)) {
    const values = came.map(stage);
    for (const share of [50, 99]) figures[`${name} p${share} ms`] = quantile(values, share / 100);
  }
  figures['whole most ms'] = Math.max(...came.map(stages['whole']!));
  return figures;
}

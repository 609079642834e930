/**
 * From a message written to Kafka until its webhook has come in at a receiver: the real command line with the bundled model, a
 * real broker, a real Redis, every message told. Percentiles of the whole way and of each stage of it, from the times that a
 * decision carries. Times are of one machine's clock, in whole milliseconds.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { Kafka, type Producer } from 'kafkajs';
import { Webhook } from 'standardwebhooks';
import { stringify } from 'yaml';
import { ensureServices } from '../scripts/services/index.ts';
import { createTopic } from '../scripts/services/topic.ts';
import type { Decision } from '../src/decision.ts';
import { kafkaClientOptions, kafkaConfig } from '../src/kafka.ts';
import { content } from './content.ts';
import type { Figure } from './pipeline.ts';

/** Options of {@link run}. */
export interface LatencyBenchmark {
  /** Messages per second. */
  readonly rate?: number;
  /** Seconds that are measured, after the warm-up. */
  readonly seconds?: number;
  readonly warmup?: number;
}

const CLI = resolve(import.meta.dirname, '../bin/sluice.js');
const SECRET = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;
/** How often the producer sends what is due. */
const TICK = 5;

/** Runs the benchmark against services of its own making, which stay up. */
export async function run(options: LatencyBenchmark = {}): Promise<Figure[]> {
  const { rate = 500, seconds = 30, warmup = 5 } = options;
  const { environment } = await ensureServices(['kafka', 'redis']);
  const brokers = [environment['SLUICE_KAFKA']!];
  const kafka = new Kafka(kafkaClientOptions(kafkaConfig.parse({ brokers })));
  const name = `latency-${Date.now().toString(36)}`;
  const admin = kafka.admin();
  await admin.connect();
  await createTopic(admin, name, 4);
  const receiver = await startReceiver();
  const directory = mkdtempSync(join(tmpdir(), 'sluice-latency-'));
  const config = join(directory, 'latency.yaml');
  writeFileSync(
    config,
    stringify({
      name,
      kafka: { brokers },
      source: { type: 'kafka', topics: [name] },
      archive: { store: { type: 'directory', path: './out' } },
      sinks: {
        hooks: {
          type: 'webhooks',
          redis: environment['SLUICE_REDIS'],
          prefix: name,
          allow_http: true,
          allow_private: ['127.0.0.0/8'],
          remember: '1m',
          endpoints: { all: { url: receiver.url, secrets: [SECRET], actions: ['allow', 'review', 'block'] } },
        },
      },
    }),
  );
  const pipeline = spawn(process.execPath, [CLI, 'run', config], { stdio: ['ignore', 'ignore', 'pipe'] });
  try {
    for await (const line of createInterface({ input: pipeline.stderr })) {
      if (line.includes('"assignment-recovered"')) break;
    }
    pipeline.stderr.resume();
    const producer = kafka.producer();
    await producer.connect();
    const messages = await produce(producer, name, rate, seconds + warmup);
    const deadline = Date.now() + 30_000;
    while (receiver.came.size < messages && Date.now() < deadline) await delay(100);
    await producer.disconnect();
    if (receiver.came.size < messages)
      throw new Error(
        `expected ${messages} webhooks within 30 s of the last message, got ${receiver.came.size}`,
      );
  } finally {
    pipeline.kill('SIGTERM');
    await once(pipeline, 'exit');
    await admin.deleteTopics({ topics: [name] });
    await admin.disconnect();
    receiver.close();
    rmSync(directory, { recursive: true, force: true });
  }
  const all = [...receiver.came.values()];
  const start = Math.min(...all.map(({ decision }) => Date.parse(decision.produced_at!))) + warmup * 1000;
  return figures(
    all.filter(({ decision }) => Date.parse(decision.produced_at!) >= start),
    rate,
  );
}

/** A decision and when its webhook came, milliseconds UTC. */
interface Came {
  readonly at: number;
  readonly decision: Decision;
}

async function startReceiver() {
  const came = new Map<string, Came>();
  const webhook = new Webhook(SECRET);
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const at = Date.now();
      const event = webhook.verify(
        Buffer.concat(parts).toString(),
        request.headers as Record<string, string>,
      );
      const { data } = event as { data: Decision };
      if (!came.has(data.id)) came.set(data.id, { at, decision: data });
      response.writeHead(204).end();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return { came, url, close: () => server.close() };
}

/** Writes at a steady rate, whatever the answers take: a slow pipeline must not slow its producers. */
async function produce(producer: Producer, topic: string, rate: number, seconds: number): Promise<number> {
  const lines = [...content({ messages: 5000, bytes: 300, customers: 50, seed: 3 })];
  const total = rate * seconds;
  const started = performance.now();
  const sends: Promise<unknown>[] = [];
  for (let sent = 0; sent < total; await delay(TICK)) {
    const due = Math.min(total, Math.floor(((performance.now() - started) / 1000) * rate));
    if (due === sent) continue;
    const messages = [];
    for (; sent < due; sent++)
      messages.push({
        value: Buffer.from(lines[sent % lines.length]!),
        partition: sent % 4,
        timestamp: String(Date.now()),
      });
    sends.push(producer.send({ topic, messages }));
  }
  await Promise.all(sends);
  return total;
}

function figures(came: readonly Came[], rate: number): Figure[] {
  const ms = (from: string | null, to: string) => Date.parse(to) - Date.parse(from!);
  const stages: Record<string, (one: Came) => number> = {
    'produced → webhook received': ({ at, decision }) => at - Date.parse(decision.produced_at!),
    '  produced → read (producer, broker, fetch)': ({ decision }) =>
      ms(decision.produced_at, decision.received_at),
    '  read → taken by a worker': ({ decision }) => decision.timings.wait,
    '  decode': ({ decision }) => decision.timings.decode,
    '  classify': ({ decision }) => decision.timings.classify,
    '  decided → webhook received (Redis, signing, HTTP)': ({ at, decision }) =>
      at - Date.parse(decision.decided_at),
  };
  const whole = mean(came.map(stages['produced → webhook received']!));
  return [
    { name: `messages at ${rate}/s, each with a webhook`, value: came.length, unit: '' },
    ...Object.entries(stages).flatMap(([name, stage]): Figure[] => {
      const values = came.map(stage).toSorted((a, b) => a - b);
      const at = (share: number) => values[Math.min(values.length - 1, Math.floor(values.length * share))]!;
      return [
        { name: `${name}, p50`, value: at(0.5), unit: 'ms' },
        { name: `${name}, p99`, value: at(0.99), unit: 'ms' },
        { name: `${name}, share of the mean`, value: (100 * mean(values)) / whole, unit: '%' },
      ];
    }),
    { name: 'slowest', value: Math.max(...came.map(stages['produced → webhook received']!)), unit: 'ms' },
  ];
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

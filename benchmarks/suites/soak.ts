import { Kafka, logLevel } from 'kafkajs';
import { createTopic } from '../../scripts/services/topic.ts';
import { OperationalError } from '../../src/errors.ts';
import { kafkaClientOptions, kafkaConfig } from '../../src/kafka.ts';
import { productVersions } from '../harness/machine.ts';
import { growthOf } from '../harness/memory-growth.ts';
import type { Sample, Suite, SuiteOptions } from '../harness/sample.ts';
import { openServers, type Servers } from '../harness/servers.ts';
import { PARTITIONS } from '../harness/topic.ts';
import { produce } from '../paced/produce.ts';
import { openJob, startPeer } from '../peers/run-job.ts';
import { createSluice } from '../peers/sluice/index.ts';
import { FLUSH_ROWS } from './peers.ts';

const RATE = 5_000;
const CUSTOMERS = 1_000;
const SECONDS = 30 * 60;

/** Memory over half an hour of steady traffic by many customers: its peak, and what it grew by between two thirds. */
export async function openSoak({ messages }: SuiteOptions): Promise<Suite> {
  const servers = await openServers();
  const seconds = messages === undefined ? SECONDS : Math.ceil(messages / RATE);
  return {
    name: 'soak',
    measurements: [
      {
        name: 'customers-1000',
        title: `1,000 customers, no model, ${RATE.toLocaleString('en')} messages/s`,
        unit: 'messages',
        parameters: { rate: RATE, seconds, customers: CUSTOMERS, bytes: 300 },
        versions: productVersions(),
        sample: () => sampleSoak(servers, seconds),
      },
    ],
    close: () => servers.close(),
  };
}

async function sampleSoak(servers: Servers, seconds: number): Promise<Sample> {
  const topic = `soak-${Date.now().toString(36)}`;
  const kafka = new Kafka({
    ...kafkaClientOptions(kafkaConfig.parse({ brokers: [servers.broker] })),
    logLevel: logLevel.NOTHING,
  });
  const admin = kafka.admin();
  const producer = kafka.producer();
  await admin.connect();
  // Half an hour of it would fill disks: what has been read may go.
  await createTopic(admin, topic, PARTITIONS, { 'retention.ms': '300000', 'segment.ms': '60000' });
  await producer.connect();
  const peer = createSluice({ model: 'drop', untilEnd: false });
  const installed = await peer.install();
  const job = await openJob(peer, { servers, topic, messages: RATE * seconds, flushRows: FLUSH_ROWS });
  try {
    await peer.prepare?.(job, installed);
    const running = startPeer(peer, installed, job);
    const stop = new AbortController();
    void running.ended.then(() => stop.abort());
    const count = await produce(producer, { topic, rate: RATE, seconds, customers: CUSTOMERS }, stop.signal);
    if (running.hasEnded())
      throw new OperationalError(
        `expected Sluice to run until it is stopped, it ended; its log is ${job.directory}/output.log`,
      );
    const usage = running.usage();
    await running.end('SIGTERM');
    const files = job.bucket.list('.parquet').length;
    if (files === 0) throw new OperationalError(`expected files in ${job.bucket.name}, got none`);
    return {
      count,
      ...usage,
      files,
      more: growthOf(running.memory),
    };
  } finally {
    job.remove();
    await producer.disconnect();
    await admin.deleteTopics({ topics: [topic] });
    await admin.disconnect();
  }
}

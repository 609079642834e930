import { join } from 'node:path';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import kafkajs, { type Admin } from 'kafkajs';
import pRetry from 'p-retry';
import { ensureServices, removeServices, startService, stopService } from '../../scripts/services/index.ts';
import { createTopic } from '../../scripts/services/topic.ts';

const NAMES = ['kafka', 's3'] as const;

/** A broker and an S3 server of a run's own, so that nobody else misses them when they are killed. */
export interface Backend {
  /** `host:port` of the broker. */
  readonly broker: string;
  /** URL of the S3 server itself. */
  readonly endpoint: string;
  /** Credentials and region of the S3 server, for members. */
  readonly env: Readonly<Record<string, string>>;
  /** Directory of what the S3 server holds below a bucket and a prefix. */
  directoryOf(bucket: string, prefix: string): string;
  createBucket(bucket: string): Promise<void>;
  createTopic(topic: string, partitions: number): Promise<void>;
  /** The end offset of each partition, by its number. */
  ends(topic: string): Promise<number[]>;
  /** The committed offset of each partition of a group, by its number; -1 where there is none. */
  committed(group: string, topic: string): Promise<number[]>;
  /** Ids of the members of a group, sorted, and its state. */
  group(group: string): Promise<{ readonly state: string; readonly members: readonly string[] }>;
  stop(name: (typeof NAMES)[number], signal: NodeJS.Signals): Promise<void>;
  /** Resolves when it answers again. */
  start(name: (typeof NAMES)[number]): Promise<void>;
  /** Ends the servers and removes what they hold. */
  close(): Promise<void>;
}

/** Starts the servers of a run in `directory`. */
export async function startBackend(directory: string): Promise<Backend> {
  const { environment } = await ensureServices(NAMES, { directory });
  const value = (name: string): string => {
    const found = environment[name];
    if (found === undefined)
      throw new Error(`expected the services to say ${name}, got ${Object.keys(environment).join(', ')}`);
    return found;
  };
  const broker = value('SLUICE_KAFKA');
  const endpoint = value('SLUICE_S3');
  const kafka = new kafkajs.Kafka({
    brokers: [broker],
    clientId: 'chaos-admin',
    logLevel: kafkajs.logLevel.NOTHING,
    retry: { retries: 2, initialRetryTime: 200 },
  });

  /** A connection for each question: it may be asked before and after the broker was killed, and while it is away. */
  function ask<Answer>(question: (admin: Admin) => Promise<Answer>): Promise<Answer> {
    return pRetry(
      async () => {
        const admin = kafka.admin();
        try {
          await admin.connect();
          return await question(admin);
        } finally {
          await admin.disconnect();
        }
      },
      { retries: 20, minTimeout: 200, maxTimeout: 2000 },
    );
  }

  return {
    broker,
    endpoint,
    env: Object.fromEntries(Object.entries(environment).filter(([name]) => name.startsWith('AWS_'))),
    directoryOf: (bucket, prefix) => join(value('SLUICE_S3_DIRECTORY'), bucket, prefix),

    async createBucket(bucket) {
      const client = new S3Client({
        endpoint,
        forcePathStyle: true,
        region: value('AWS_REGION'),
        credentials: {
          accessKeyId: value('AWS_ACCESS_KEY_ID'),
          secretAccessKey: value('AWS_SECRET_ACCESS_KEY'),
        },
      });
      await client.send(new CreateBucketCommand({ Bucket: bucket }));
      client.destroy();
    },

    createTopic: (topic, partitions) =>
      ask(async (admin) => {
        await createTopic(admin, topic, partitions);
      }),

    ends: (topic) =>
      ask(async (admin) => {
        const offsets = await admin.fetchTopicOffsets(topic);
        return byPartition(offsets.map(({ partition, high }) => [partition, Number(high)]));
      }),

    committed: (group, topic) =>
      ask(async (admin) => {
        const [answer] = await admin.fetchOffsets({ groupId: group, topics: [topic] });
        return byPartition(
          (answer?.partitions ?? []).map(({ partition, offset }) => [partition, Number(offset)]),
        );
      }),

    group: (group) =>
      ask(async (admin) => {
        const { groups } = await admin.describeGroups([group]);
        const { state = 'Unknown', members = [] } = groups[0] ?? {};
        return { state, members: members.map(({ memberId }) => memberId).toSorted() };
      }),

    stop: (name, signal) => stopService(name, { signal, directory }),
    start: (name) => startService(name, { directory }),
    async close() {
      await removeServices(NAMES, { directory });
    },
  };
}

function byPartition(pairs: readonly (readonly [number, number])[]): number[] {
  const list: number[] = [];
  for (const [partition, offset] of pairs) list[partition] = offset;
  return list;
}

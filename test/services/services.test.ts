import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { GetDatabasesCommand, GlueClient } from '@aws-sdk/client-glue';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { Kafka, logLevel, type SASLOptions } from 'kafkajs';
import { describe, expect, it } from 'vitest';
import {
  SERVICE_NAMES,
  restartService,
  serviceStatus,
  signalService,
  stopService,
} from '../../scripts/services/index.ts';
import { isRunning, type DetachedProcess } from '../../scripts/services/process.ts';
import { readState } from '../../scripts/services/state.ts';
import { installBefore, scratch, services } from './scratch.ts';

installBefore();

/** `export NAME='value'` lines as an object. */
function parse(stdout: string): Record<string, string> {
  return Object.fromEntries(
    [...stdout.matchAll(/^export (\w+)='(.*)'$/gm)].map(([, name, value]) => [name, value]),
  );
}

/** The processes of the services in `directory`. */
async function processesIn(directory: string): Promise<DetachedProcess[]> {
  const states = await Promise.all(SERVICE_NAMES.map((name) => readState(directory, name)));
  return states.flatMap((state) => state?.process ?? []);
}

/** The services of which some port takes connections at that address. */
async function answering(directory: string, host: string): Promise<string[]> {
  const takes = (port: number) =>
    new Promise<boolean>((done) => {
      const socket = createConnection({ port, host, timeout: 2000 });
      const end = (answer: boolean) => {
        socket.destroy();
        done(answer);
      };
      socket.once('connect', () => end(true));
      socket.once('error', () => end(false));
      socket.once('timeout', () => end(false));
    });
  const answers = await Promise.all(
    SERVICE_NAMES.map(async (name) => {
      const { ports } = (await readState(directory, name))!;
      return (await Promise.all(Object.values(ports).map(takes))).includes(true);
    }),
  );
  return SERVICE_NAMES.filter((_name, index) => answers[index]);
}

interface Login {
  readonly ssl?: { readonly ca: string };
  readonly sasl?: SASLOptions;
}

async function topics(broker: string, login: Login = {}, retries = 5): Promise<string[]> {
  const admin = new Kafka({
    brokers: [broker],
    logLevel: logLevel.NOTHING,
    retry: { retries },
    ...login,
  }).admin();
  try {
    await admin.connect();
    return await admin.listTopics();
  } finally {
    await admin.disconnect();
  }
}

describe('services', () => {
  it('come up, tell where they are, keep data over a kill, and leave nothing behind', async () => {
    const directory = scratch();
    const up = await services(directory, ['up']);
    expect(up.stderr).toBe('');
    expect(up.stdout.match(/healthy .* started$/gm)).toHaveLength(SERVICE_NAMES.length);
    const first = await processesIn(directory);
    expect(first.map(isRunning)).toEqual(SERVICE_NAMES.map(() => true));
    expect(await answering(directory, '127.0.0.1')).toEqual(SERVICE_NAMES);
    // What listens on all addresses, and so for everybody, answers here as well.
    expect(await answering(directory, '127.0.0.2')).toEqual([]);

    const again = await services(directory, ['up']);
    expect(again.stdout.match(/healthy .* ran already$/gm)).toHaveLength(SERVICE_NAMES.length);
    expect(await processesIn(directory)).toEqual(first);
    expect(await services(directory, ['status'])).toMatchObject({ code: 0 });

    const { stdout } = await services(directory, ['env']);
    expect(stdout.match(/^unset .*$/gm)).toEqual(['unset AWS_SESSION_TOKEN', 'unset AWS_PROFILE']);
    const env = parse(stdout);
    const broker = env['SLUICE_KAFKA']!;
    const s3 = new S3Client({
      endpoint: env['SLUICE_S3']!,
      region: env['AWS_REGION']!,
      forcePathStyle: true,
      credentials: { accessKeyId: env['AWS_ACCESS_KEY_ID']!, secretAccessKey: env['AWS_SECRET_ACCESS_KEY']! },
    });
    await s3.send(new CreateBucketCommand({ Bucket: 'scratch' }));
    const body = randomBytes(1000);
    await s3.send(new PutObjectCommand({ Bucket: 'scratch', Key: 'a/b', Body: body }));
    expect(readFileSync(join(env['SLUICE_S3_DIRECTORY']!, 'scratch/a/b'))).toEqual(body);
    expect((await fetch(`${env['SLUICE_GLUE']}/moto-api/`)).status).toBe(200);

    const kafka = new Kafka({ brokers: [broker], logLevel: logLevel.NOTHING });
    const admin = kafka.admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic: 'kept', numPartitions: 2 }] });
    await admin.disconnect();
    const producer = kafka.producer();
    await producer.connect();
    await expect(producer.send({ topic: 'not-made', messages: [{ value: 'x' }] })).rejects.toThrow(
      'does not host this topic-partition',
    );
    await producer.send({ topic: 'kept', messages: [{ value: 'x' }], acks: -1 });
    await producer.disconnect();

    await Promise.all([
      restartService('kafka', { directory, signal: 'SIGKILL' }),
      restartService('s3', { directory, signal: 'SIGKILL' }),
    ]);
    expect(await topics(broker)).toContain('kept');
    const object = await s3.send(new GetObjectCommand({ Bucket: 'scratch', Key: 'a/b' }));
    expect(Buffer.from(await object.Body!.transformToByteArray())).toEqual(body);
    s3.destroy();

    const ssl = { ca: readFileSync(env['SLUICE_KAFKA_CA']!, 'utf8') };
    const user = { username: env['SLUICE_KAFKA_USER']!, password: env['SLUICE_KAFKA_PASSWORD']! };
    for (const mechanism of ['plain', 'scram-sha-256', 'scram-sha-512'] as const) {
      const sasl = { mechanism, ...user } as SASLOptions;
      expect(await topics(env['SLUICE_KAFKA_TLS']!, { ssl, sasl })).toContain('kept');
      expect(await topics(env['SLUICE_KAFKA_SASL']!, { sasl })).toContain('kept');
      const wrong = { mechanism, ...user, password: 'wrong' } as SASLOptions;
      await expect(topics(env['SLUICE_KAFKA_SASL']!, { sasl: wrong }, 0)).rejects.toThrow(/auth/i);
    }
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const seconds = Math.floor(Date.now() / 1000);
    const token = `${part({ alg: 'none' })}.${part({ sub: 'anyone', iat: seconds, exp: seconds + 600 })}.`;
    const bearer = { mechanism: 'oauthbearer', oauthBearerProvider: async () => ({ value: token }) } as const;
    expect(await topics(env['SLUICE_KAFKA_SASL']!, { sasl: bearer })).toContain('kept');

    const last = await processesIn(directory);
    expect((await services(directory, ['down'])).stdout.match(/removed$/gm)).toHaveLength(
      SERVICE_NAMES.length,
    );
    expect([...first, ...last].filter(isRunning)).toEqual([]);
    expect(readdirSync(directory).filter((name) => !name.endsWith('.lock'))).toEqual([]);
    expect(await services(directory, ['status'])).toMatchObject({ code: 1 });
  });

  it('do not take over what the environment says of AWS', async () => {
    const directory = scratch();
    await services(directory, ['up', 'glue'], { AWS_PROFILE: 'nobody', AWS_CONFIG_FILE: '/nowhere' });
    const env = parse((await services(directory, ['env', 'glue'])).stdout);
    const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
    const glue = new GlueClient({ endpoint: env['SLUICE_GLUE']!, region: 'us-east-1', credentials });
    expect((await glue.send(new GetDatabasesCommand({}))).DatabaseList).toEqual([]);
    glue.destroy();
  });

  it('are started once by two that start them at the same time', async () => {
    const directory = scratch();
    const both = await Promise.all([
      services(directory, ['up', 'redis']),
      services(directory, ['up', 'redis']),
    ]);
    expect(both.map(({ code }) => code)).toEqual([0, 0]);
    const notes = both.map(({ stdout }) => /started|ran already/.exec(stdout)?.[0]);
    expect(new Set(notes)).toEqual(new Set(['started', 'ran already']));
  });

  it('show what became of them: frozen, stopped, dead', async () => {
    const directory = scratch();
    await services(directory, ['up', 'redis']);
    const condition = async () => (await serviceStatus(['redis'], { directory }))[0]!.condition;
    await signalService('redis', 'SIGSTOP', { directory });
    expect(await condition()).toBe('unhealthy');
    await signalService('redis', 'SIGCONT', { directory });
    expect(await condition()).toBe('healthy');
    await stopService('redis', { directory });
    expect(await condition()).toBe('stopped');
    await expect(signalService('redis', 'SIGSTOP', { directory })).rejects.toThrow('expected redis to run');
    await services(directory, ['start', 'redis']);
    process.kill((await processesIn(directory))[0]!.pid, 'SIGKILL');
    await expect.poll(condition).toBe('dead');
    expect(await services(directory, ['status', 'redis'])).toMatchObject({ code: 1 });
  });
});

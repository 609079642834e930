import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import kafkajs from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cacheDirectory } from '../../scripts/services/cache.ts';
import { ensureServices, removeServices, startService, stopService } from '../../scripts/services/index.ts';
import { MisconfiguredError } from '../../src/errors.ts';
import { checkKafka } from '../../src/ingest/kafka-check.ts';
import type { RawBatch } from '../../src/types.ts';
import { messagesOf, recordBatches } from '../contract/source.ts';
import { createKafkaFixture, kafkaOf, kafkaSource, type KafkaFixture } from './kafka-fixture.ts';
import { until } from './until.ts';

/** A broker of its own, since these tests end it and change who may do what. */
let directory: string;
let tokens: Server;
let kafka: KafkaFixture;
const shared = { ...process.env };
beforeAll(async () => {
  const parent = join(cacheDirectory(), 'run');
  mkdirSync(parent, { recursive: true });
  directory = mkdtempSync(join(parent, 'test-'));
  const { environment } = await ensureServices(['kafka'], { directory });
  Object.assign(process.env, environment);
  kafka = await createKafkaFixture({ partitions: 2 });
  tokens = createServer(answerToken).listen(0, '127.0.0.1');
});
afterAll(async () => {
  await kafka.remove();
  tokens.close();
  await removeServices(['kafka'], { directory });
  rmSync(directory, { recursive: true, force: true });
  Object.assign(process.env, shared);
});

/** Gives the unsigned tokens that the broker believes (RFC 7519, section 6) to whoever knows the secret. */
const answerToken: Parameters<typeof createServer>[1] = (request, response) => {
  const [name, secret] = Buffer.from(request.headers.authorization!.split(' ')[1]!, 'base64')
    .toString()
    .split(':');
  if (secret !== 'right') {
    response.writeHead(401).end('{}');
    return;
  }
  const now = Math.floor(Date.now() / 1000);
  const [header, claims] = [{ alg: 'none' }, { sub: name, iat: now, exp: now + 600 }].map((part) =>
    Buffer.from(JSON.stringify(part)).toString('base64url'),
  );
  response.end(JSON.stringify({ access_token: `${header}.${claims}.`, expires_in: 600 }));
};

const oauth = (name: string, secret = 'right') => ({
  brokers: [process.env['SLUICE_KAFKA_SASL']],
  sasl: {
    mechanism: 'oauthbearer',
    token_endpoint: `http://127.0.0.1:${(tokens.address() as AddressInfo).port}/token`,
    client_id: name,
    client_secret: secret,
  },
});

describe('a broker that is away', () => {
  it('for seconds, killed: reading and commits go on by themselves', async () => {
    const seen = new Set<string>();
    const recording = recordBatches((batch: RawBatch) => {
      for (const [partition, , value] of messagesOf([batch])) seen.add(`${partition}-${value}`);
    });
    const trouble: string[] = [];
    const source = kafka.open(
      { session_timeout: '10s' },
      { onRetrying: (operation) => trouble.push(operation) },
    );
    const ended = source.run(recording, { untilEnd: false });
    ended.catch((error: unknown) => recording.events.push(`failed ${String(error)}`));
    let number = 0;
    const produceAndSee = async () => {
      const value = `${number++}`;
      await kafka.produce(0, [value]);
      await until(`message ${value}`, () => seen.has(`0-${value}`));
    };
    await produceAndSee();
    await stopService('kafka', { directory, signal: 'SIGKILL' });
    const before = recording.assignments.at(-1)!;
    const read = recording.batches.at(-1)!;
    const position = { topic: kafka.topic, partition: 0, offset: read.next };
    const outcome = source.commit(before.token, [position], 'meanwhile').then(() => '', String);
    await sleep(1000);
    await startService('kafka', { directory });
    await produceAndSee();
    // Either the generation lived on and took it, or it is told that it did not.
    expect(await outcome).toMatch(/^$|^FencedError/);
    expect(recording.events.filter((event) => event.startsWith('failed'))).toEqual([]);
    expect(trouble.length).toBeGreaterThan(0);
    const { token } = recording.assignments.at(-1)!;
    const last = recording.batches.at(-1)!;
    await source.commit(token, [{ topic: kafka.topic, partition: 0, offset: last.next }], 'last');
    await source.close();
    await ended;
  });
});

describe('check', () => {
  const check = (connection: object = {}, config: object = {}) =>
    checkKafka(kafkaOf(connection), kafkaSource(kafka.topic, config), kafka.group).catch(
      (error: unknown) => error,
    );
  const refused = async (attempt: Promise<unknown>, pattern: RegExp) => {
    const failure = await attempt;
    expect(failure).toBeInstanceOf(MisconfiguredError);
    expect(String(failure)).toMatch(pattern);
  };
  const login = (mechanism: string, password = process.env['SLUICE_KAFKA_PASSWORD']) => ({
    brokers: [process.env['SLUICE_KAFKA_SASL']],
    sasl: { mechanism, username: process.env['SLUICE_KAFKA_USER'], password },
  });

  it('passes with each way to log in, with and without TLS', async () => {
    expect(await check()).toBeUndefined();
    for (const mechanism of ['plain', 'scram-sha-256', 'scram-sha-512']) {
      expect(await check(login(mechanism))).toBeUndefined();
      const secure = {
        brokers: [process.env['SLUICE_KAFKA_TLS']],
        tls: { ca: process.env['SLUICE_KAFKA_CA'] },
      };
      expect(await check({ ...login(mechanism), ...secure })).toBeUndefined();
    }
    expect(await check(oauth('anyone'))).toBeUndefined();
  });

  it('names what cannot be reached, and how it was tried', async () => {
    await refused(
      check({ brokers: ['127.0.0.1:1'] }),
      /kafka\.brokers 127\.0\.0\.1:1: .*ECONNREFUSED.*: expected a broker that answers without TLS and without SASL; check the addresses/,
    );
    await refused(
      check({ brokers: ['nowhere.invalid:9092'] }),
      /kafka\.brokers nowhere\.invalid:9092: .*ENOTFOUND/,
    );
    const short = { connection_timeout: '300ms', request_timeout: '500ms' };
    await refused(
      check({ brokers: [process.env['SLUICE_KAFKA_TLS']], ...short }),
      /expected a broker that answers without TLS/,
    );
    await refused(check({ tls: true, ...short }), /TLS/i);
    const untrusted = { ...login('plain'), brokers: [process.env['SLUICE_KAFKA_TLS']], tls: true };
    await refused(check(untrusted), /certificate.*check kafka\.tls/i);
    await refused(check({ tls: { ca: '/no/such/file' } }), /kafka\.tls\.ca: expected a PEM file, got ENOENT/);
  });

  it('names credentials that are refused', async () => {
    for (const mechanism of ['plain', 'scram-sha-512'])
      await refused(
        check(login(mechanism, 'wrong')),
        /the brokers refuse the credentials; check kafka\.sasl/,
      );
    await refused(
      check(oauth('anyone', 'wrong')),
      /token_endpoint http:\S+: expected a token, got status 401/,
    );
    await refused(
      check({ brokers: oauth('').brokers }),
      /Closed connection: expected a broker that answers .* without SASL/,
    );
  });

  it('names topics that are missing, with what may be meant', async () => {
    await refused(
      check({}, { topics: [kafka.topic, `${kafka.topic}x`] }),
      new RegExp(`got ${kafka.topic}x, which does not exist; did you mean "${kafka.topic}"`),
    );
    expect(await check({}, { topics: undefined, pattern: '^nothing-yet' })).toBeUndefined();
  });

  it('names permissions that are missing', async () => {
    const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs;
    const allow = (resourceType: kafkajs.AclResourceTypes, resourceName: string, name: string) =>
      kafka.admin.createAcls({
        acl: [
          {
            resourceType,
            resourceName,
            resourcePatternType: ResourcePatternTypes.LITERAL,
            principal: `User:${name}`,
            host: '*',
            operation: AclOperationTypes.READ,
            permissionType: AclPermissionTypes.ALLOW,
          },
        ],
      });
    // What somebody is allowed is forbidden to all others.
    await allow(AclResourceTypes.TOPIC, kafka.topic, 'no-group');
    await allow(AclResourceTypes.GROUP, kafka.group, 'no-topic');
    await refused(
      check(oauth('no-topic')),
      new RegExp(`${kafka.topic}: .*allow it Read and Describe on the topic`),
    );
    await refused(
      check(oauth('no-group')),
      new RegExp(`${kafka.group}: .*allow it Read on the consumer group`),
    );
    // The same without a check before: the run ends with it, and does not try for ever.
    for (const name of ['no-topic', 'no-group']) {
      const source = kafka.open({}, { kafka: kafkaOf(oauth(name)) });
      const run = source.run(recordBatches(), { untilEnd: false }).catch((error: unknown) => error);
      await refused(run, /allow it Read/);
      await source.close();
    }
  });
});

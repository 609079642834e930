import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import kafkajs from 'kafkajs';
import { afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { installKafkaJavascript } from '../../scripts/kafka-javascript.ts';
import { MisconfiguredError } from '../../src/errors.ts';
import { createConfluentClient } from '../../src/ingest/confluent-client.ts';
import { loadLibrary } from '../../src/ingest/confluent-library.ts';
import { headersOf, keyOf } from '../../src/raw-batch.ts';
import type { RawBatch } from '../../src/types.ts';
import { messagesOf, recordBatches, sourceContract } from '../contract/source.ts';
import {
  addressOf,
  createKafkaFixture,
  type KafkaFixture,
  type KafkaFixtureOptions,
} from './kafka-fixture.ts';
import { until } from './until.ts';

const createClient = createConfluentClient;
const PROTOCOLS = [
  { name: 'cooperative-sticky', config: { group_protocol: 'classic' } },
  { name: 'KIP-848', config: { group_protocol: 'consumer' } },
];

beforeAll(async () => {
  await installKafkaJavascript();
}, 900_000);

for (const { name, config } of PROTOCOLS) {
  sourceContract(
    `confluent, ${name}`,
    async () => {
      const kafka = await createKafkaFixture({ createClient });
      let partitions = 1;
      return {
        async append(all) {
          if (all.length > partitions) {
            partitions = all.length;
            await kafka.admin.createPartitions({
              topicPartitions: [{ topic: kafka.topic, count: partitions }],
            });
          }
          for (const [partition, values] of all.entries()) await kafka.produce(partition, values);
        },
        open: () => kafka.open(config),
        remove: () => kafka.remove(),
      };
    },
    // The broker leaves a member what it has as long as it shows that it lives.
    { joiningTakesOver: config.group_protocol === 'classic' },
  );
}

let fixture: KafkaFixture;
const made: KafkaFixture[] = [];
afterEach(async () => {
  for (const each of made.splice(0)) await each.remove();
});

async function make(options: KafkaFixtureOptions = {}): Promise<void> {
  fixture = await createKafkaFixture({ createClient, ...options });
  made.push(fixture);
}

describe('what is read', () => {
  /** Everything up to the end. */
  async function readAll(config: object = {}): Promise<RawBatch[]> {
    const recording = recordBatches();
    await fixture.open(config).run(recording, { untilEnd: true });
    return recording.batches;
  }

  it.each(['None', 'GZIP', 'Snappy', 'LZ4', 'ZSTD'] as const)('codec %s', async (codec) => {
    await make();
    const values = Array.from({ length: 500 }, (_, at) => `é${'x'.repeat(at)}`);
    await fixture.produce(0, values, kafkajs.CompressionTypes[codec]);
    expect(messagesOf(await readAll()).map(([, , value]) => value)).toEqual(values);
  });

  it('keys, headers, times and tombstones', async () => {
    await make();
    await fixture.produce(0, [
      { value: 'a', key: 'k', headers: { x: 'first', y: 'é' }, timestamp: '1767225600123' },
      { value: null, key: Buffer.from([0, 255]), timestamp: '1767225600124' },
      { value: '', timestamp: '1767225600125' },
    ]);
    const [batch] = await readAll();
    expect(batch).toMatchObject({ rows: 3, first: 0, next: 3 });
    expect([...batch!.timestamps]).toEqual([1767225600123, 1767225600124, 1767225600125]);
    expect(
      [0, 1, 2].map((row) => {
        const key = keyOf(batch!, row);
        return key && Buffer.from(key).toString('hex');
      }),
    ).toEqual(['6b', '00ff', null]);
    const headers = [0, 1, 2].map((row) =>
      Object.entries(headersOf(batch!, row)!).map(([name, value]) => [name, Buffer.from(value).toString()]),
    );
    expect(headers).toEqual([
      [
        ['x', 'first'],
        ['y', 'é'],
      ],
      [],
      [],
    ]);
    expect([...batch!.nulls!]).toEqual([0, 1, 0]);
    expect(messagesOf([batch!]).map(([, , value]) => value)).toEqual(['a', '', '']);
  });

  it('of transactions only what was committed; the run ends behind the last control record', async () => {
    await make();
    const kafka = new kafkajs.Kafka({
      brokers: [addressOf('SLUICE_KAFKA')],
      logLevel: kafkajs.logLevel.NOTHING,
    });
    const producer = kafka.producer({
      transactionalId: fixture.topic,
      idempotent: true,
      maxInFlightRequests: 1,
    });
    await producer.connect();
    onTestFinished(() => producer.disconnect());
    for (const [value, isKept] of [
      ['kept', true],
      ['dropped', false],
      ['kept too', true],
      ['last', false],
    ] as const) {
      const transaction = await producer.transaction();
      await transaction.send({ topic: fixture.topic, messages: [{ value, partition: 0 }] });
      await (isKept ? transaction.commit() : transaction.abort());
    }
    const batches = await readAll();
    expect(messagesOf(batches)).toEqual([
      [0, 0, 'kept'],
      [0, 4, 'kept too'],
    ]);
    expect([batches[0]!.first, batches.at(-1)!.next]).toEqual([0, 5]);
  });

  async function deleteBefore(offset: number): Promise<void> {
    // kafkajs deletes only of topics that it has asked about.
    await fixture.admin.fetchTopicOffsets(fixture.topic);
    await fixture.admin.deleteTopicRecords({
      topic: fixture.topic,
      partitions: [{ partition: 0, offset: String(offset) }],
    });
  }

  it('goes on behind messages that were deleted before they were read, and tells which', async () => {
    await make();
    await fixture.produce(0, ['a', 'b', 'c', 'd']);
    const source = fixture.open();
    const recording = recordBatches();
    await source.run(recording, { untilEnd: true });
    const { token } = recording.assignments[0]!;
    const position = { topic: fixture.topic, partition: 0 };
    await source.commit(token, [{ ...position, offset: 1 }], 'tx');
    await source.close();
    await deleteBefore(3);
    const expired: object[] = [];
    const again = recordBatches();
    await fixture.open({}, { onExpired: (range) => expired.push(range) }).run(again, { untilEnd: true });
    expect(expired).toEqual([{ ...position, from: 1, to: 3 }]);
    expect(messagesOf(again.batches)).toEqual([[0, 3, 'd']]);
    expect(again.batches[0]!.first).toBe(1);
  });

  it('deleted while it is read: the same', async () => {
    await make();
    await fixture.produce(0, ['a', 'b']);
    const expired: object[] = [];
    const source = fixture.open({}, { onExpired: (range) => expired.push(range) });
    const recording = recordBatches(async ({ first }) => {
      if (first > 0) return;
      // Held so long that the partition is paused, and what was fetched ahead is forgotten.
      await sleep(1500);
      await fixture.produce(0, ['c', 'd', 'e']);
      await deleteBefore(4);
    });
    const running = source.run(recording, { untilEnd: false });
    await until('the rest comes', () => messagesOf(recording.batches).length === 3);
    source.stop();
    await running;
    expect(messagesOf(recording.batches).map(([, , value]) => value)).toEqual(['a', 'b', 'e']);
    expect(expired).toEqual([{ topic: fixture.topic, partition: 0, from: 2, to: 4 }]);
  });

  it('a pattern: topics that match, also one that comes later', async () => {
    await make();
    await fixture.produce(0, ['a']);
    const later = `${fixture.topic}-later`;
    const recording = recordBatches();
    const source = fixture.open({ topics: undefined, pattern: `^${fixture.topic}(-later)?$` });
    const running = source.run(recording, { untilEnd: false });
    await until('the first topic', () => recording.batches.length === 1);
    await fixture.admin.createTopics({ topics: [{ topic: later, numPartitions: 1 }] });
    await fixture.producer.send({ topic: later, messages: [{ value: 'b' }] });
    await until('the second topic', () => recording.batches.some(({ topic }) => topic === later));
    source.stop();
    await running;
    await fixture.admin.deleteTopics({ topics: [later] });
  });
});

describe('how brokers are reached', () => {
  const user = {
    username: addressOf('SLUICE_KAFKA_USER'),
    password: addressOf('SLUICE_KAFKA_PASSWORD'),
  };
  const secure = () => ({
    brokers: [addressOf('SLUICE_KAFKA_TLS')],
    tls: { ca: addressOf('SLUICE_KAFKA_CA') },
  });

  it.each(['plain', 'scram-sha-256', 'scram-sha-512'])('TLS and SASL %s', async (mechanism) => {
    await make({ kafka: { ...secure(), sasl: { mechanism, ...user } } });
    await fixture.produce(0, ['a']);
    const recording = recordBatches();
    await fixture.open().run(recording, { untilEnd: true });
    expect(messagesOf(recording.batches)).toEqual([[0, 0, 'a']]);
  });

  it('SASL OAUTHBEARER, with a new token before the old one ends', async () => {
    let given = 0;
    const server = createServer((_request, response) => {
      given++;
      // Unsigned (RFC 7519, section 6): these brokers believe it.
      const claims = { sub: 'sluice', iat: Date.now() / 1000, exp: Date.now() / 1000 + 60 };
      const [header, body] = [{ alg: 'none' }, claims].map((part) =>
        Buffer.from(JSON.stringify(part)).toString('base64url'),
      );
      response.end(JSON.stringify({ access_token: `${header}.${body}.`, expires_in: 2 }));
    }).listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await make({
      kafka: {
        brokers: [addressOf('SLUICE_KAFKA_SASL')],
        sasl: {
          mechanism: 'oauthbearer',
          token_endpoint: `http://127.0.0.1:${port}/token`,
          client_id: 'sluice',
          client_secret: 'secret',
        },
      },
    });
    await fixture.produce(0, ['a']);
    const source = fixture.open();
    const recording = recordBatches();
    const running = source.run(recording, { untilEnd: false });
    await until('the message', () => messagesOf(recording.batches).length === 1);
    const before = given;
    await until('another token', () => given > before);
    source.stop();
    await running;
  });

  it('credentials that the brokers refuse end the run', async () => {
    const sasl = { mechanism: 'plain', username: user.username, password: 'wrong' };
    await make({ kafka: { ...secure(), sasl } });
    await expect(fixture.open().run(recordBatches(), { untilEnd: true })).rejects.toThrow(MisconfiguredError);
  });

  it('an authority that is not trusted ends the run', async () => {
    await make({ kafka: { ...secure(), tls: true, sasl: { mechanism: 'plain', ...user } } });
    await expect(fixture.open().run(recordBatches(), { untilEnd: true })).rejects.toThrow(/check kafka\.tls/);
  });
});

describe('the package', () => {
  it('that is not installed is asked for', async () => {
    await make();
    await expect(loadLibrary('@confluentinc/kafka-javascript-not-there')).rejects.toThrow(MisconfiguredError);
    await expect(loadLibrary('@confluentinc/kafka-javascript-not-there')).rejects.toThrow(/npm install/);
  });
});

import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { RetryableError } from '../src/errors.ts';
import { createKafkaProducer, RecordTooLargeError } from '../src/kafka-producer.ts';
import { kafkaConfig } from '../src/kafka.ts';
import { createTopicWriter } from '../src/topic-writer.ts';
import { createKafkaFixture, kafkaOf } from './ingest/kafka-fixture.ts';
import { recordsOf } from './ingest/kafka-records.ts';
import { createTwoBrokers } from './two-brokers.ts';

afterEach(() => vi.restoreAllMocks());

const keys = (prefix: string, count = 20) => Array.from({ length: count }, (_, n) => `${prefix}${n}`);
const recordOf = (key: string) => ({ topic: 't', message: { key, value: 'v' } });
const faked = () => createKafkaProducer({ kafka: kafkaConfig.parse({ brokers: ['none:1'] }), at: 'sink' });

describe('kafka producer and a leader that moves', () => {
  it('does not take records for written that kafkajs left out, and writes all of them when it is asked again', async () => {
    const brokers = createTwoBrokers();
    const producer = faked();
    const records = keys('k').map(recordOf);
    const sending = producer.send(records);
    await vi.waitFor(() => expect(brokers.pending()).toBe(1));
    // Its retry skips broker 1, which has answered, and to which what is missing would go now.
    brokers.move();
    await expect(sending).rejects.toThrow(RetryableError);
    await expect(sending).rejects.toThrow('sink t: expected an answer for partition 1 of t, got none');
    expect(brokers.written[1]).toEqual([]);

    const positions = await producer.send(records);
    expect(new Set(brokers.written.flat())).toEqual(new Set(keys('k')));
    for (const [index, at] of positions.entries())
      expect(brokers.written[at!.partition as 0 | 1][at!.offset]).toBe(`k${index}`);
    expect(brokers.producers()).toBe(2);
  });

  it('tells writers of a topic, too', async () => {
    const brokers = createTwoBrokers();
    const writer = createTopicWriter({
      topic: 't',
      kafka: kafkaConfig.parse({ brokers: ['none:1'] }),
      at: 'dead_letters.topic',
    });
    const writing = writer.write(keys('k').map((key) => ({ key, value: 'v' })));
    await vi.waitFor(() => expect(brokers.pending()).toBe(1));
    brokers.move();
    await expect(writing).rejects.toThrow(RetryableError);
  });

  it('keeps the partition of a record without a key over the attempts of kafkajs', async () => {
    const brokers = createTwoBrokers();
    const producer = faked();
    const records = [
      { topic: 't', message: { key: 'first', value: 'v', partition: 0 } },
      { topic: 't', message: { key: null, value: 'v' } },
    ];
    const failed = (async () => {
      // Partitions take turns, from any one.
      for (let n = 0; n < 2; n++) await producer.send(records);
    })();
    failed.catch(() => undefined);
    await vi.waitFor(() => expect(brokers.pending()).toBe(1));
    brokers.move();
    // With partition 0, whose answer is there, for its second turn it would be taken for written.
    await expect(failed).rejects.toThrow(RetryableError);
  });

  it('sends no more of what was given up, and goes on with the next', async () => {
    const brokers = createTwoBrokers();
    const producer = faked();
    const over = new AbortController();
    const toSecond = { topic: 't', message: { key: 'given', value: 'v', partition: 1 } };
    const given = producer.send([toSecond], over.signal);
    await vi.waitFor(() => expect(brokers.pending()).toBe(1));
    const waiting = producer.send([recordOf('waiting')], over.signal);
    const next = producer.send([recordOf('next')]);
    over.abort();
    await expect(given).rejects.toThrow(RetryableError);
    await expect(waiting).rejects.toThrow(RetryableError);
    brokers.move();
    await next;
    // Longer than the waits of kafkajs between its attempts.
    await delay(300);
    expect(brokers.written.flat()).toEqual(['next']);
  });

  it('fails what is under way, and what comes later, when it is closed', async () => {
    const brokers = createTwoBrokers();
    const producer = faked();
    const sending = producer.send(keys('k').map(recordOf));
    await vi.waitFor(() => expect(brokers.pending()).toBe(1));
    const closing = producer.close();
    brokers.move();
    await expect(sending).rejects.toThrow(RetryableError);
    await closing;
    await expect(producer.send([recordOf('late')])).rejects.toThrow('the producer is closed');
    await producer.close();
  });
});

describe('kafka producer', () => {
  async function openTopic(topicConfig = {}) {
    const kafka = await createKafkaFixture({ partitions: 2, topicConfig });
    const producer = createKafkaProducer({ kafka: kafkaOf(), at: 'sink' });
    onTestFinished(async () => {
      await producer.close();
      await kafka.remove();
    });
    const record = (partition: number, value: string) => ({
      topic: kafka.topic,
      message: { partition, key: null, value },
    });
    return { topic: kafka.topic, producer, record };
  }

  it('loses nothing after a request of which brokers took a part', async () => {
    const { topic, producer, record } = await openTopic({ 'max.message.bytes': '10000' });
    await producer.send([record(0, 'first'), record(1, 'first')]);
    const refused = producer.send([record(0, 'a'), record(1, 'x'.repeat(20_000))]);
    // Under the sequence number that the partition has for `a`, brokers would take it for a repeat.
    const next = producer.send([record(0, 'b')]);
    await expect(refused).rejects.toThrow(RecordTooLargeError);
    expect(await next).toEqual([{ topic, partition: 0, offset: 2 }]);
    const values = (await recordsOf(topic, 4)).map(({ value }) => String(value));
    expect(values.toSorted()).toEqual(['a', 'b', 'first', 'first']);
  });

  it('says where records of several requests stand, in their order', async () => {
    const { topic, producer, record } = await openTopic();
    const records = Array.from({ length: 5 }, (_, n) => record(n % 2, `${n}${'x'.repeat(300_000)}`));
    expect(await producer.send(records)).toEqual([
      { topic, partition: 0, offset: 0 },
      { topic, partition: 1, offset: 0 },
      { topic, partition: 0, offset: 1 },
      { topic, partition: 1, offset: 1 },
      { topic, partition: 0, offset: 2 },
    ]);
    expect(await producer.send([])).toEqual([]);
  });

  it('names a partition that is not there', async () => {
    const { topic, producer, record } = await openTopic();
    await expect(producer.send([record(0, 'a'), record(7, 'b')])).rejects.toThrow(
      `sink ${topic}: expected an answer for partition 7 of ${topic}, got none`,
    );
  });
});

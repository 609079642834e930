// Kafka to Parquet on S3 as one would first write it in Node: a message at a time, one writer for each shard, files that
// are uploaded when enough rows have come. Positions are left to kafkajs, which commits what was handed over.
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { promisify } from 'node:util';
import { zstdCompress, zstdDecompress } from 'node:zlib';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import kafkajs from 'kafkajs';
import parquet from 'parquetjs-lite';

const { BENCH_BROKER, BENCH_TOPIC, BENCH_GROUP, BENCH_ENDPOINT, BENCH_BUCKET, BENCH_FLUSH_ROWS } =
  process.env;

// kafkajs brings gzip only; the topic is compressed by zstd.
kafkajs.CompressionCodecs[4] = () => ({
  compress: ({ buffer }) => promisify(zstdCompress)(buffer),
  decompress: promisify(zstdDecompress),
});

const text = { type: 'UTF8', compression: 'SNAPPY' };
const maybe = { ...text, optional: true };
const schema = new parquet.ParquetSchema({
  id: text,
  customer: text,
  text,
  user: maybe,
  type: maybe,
  lang: maybe,
  created_at: { type: 'TIMESTAMP_MILLIS', compression: 'SNAPPY' },
  partition: { type: 'INT32', compression: 'SNAPPY' },
  offset: { type: 'INT64', compression: 'SNAPPY' },
});

const s3 = new S3Client({ endpoint: BENCH_ENDPOINT, forcePathStyle: true });
const kafka = new kafkajs.Kafka({ brokers: [BENCH_BROKER], logLevel: kafkajs.logLevel.ERROR });
const admin = kafka.admin();
const consumer = kafka.consumer({ groupId: BENCH_GROUP });

let shards = new Map();
let rows = 0;
let files = 0;
const ends = new Map();
const at = new Map();

async function writerOf(customer, hour) {
  const folder = `customer=${customer}/dt=${hour.slice(0, 10)}/hour=${hour.slice(11)}`;
  let shard = shards.get(folder);
  if (!shard) {
    const key = `${folder}/${process.pid}-${files}.parquet`;
    const path = `./scratch/${process.pid}-${files++}.parquet`;
    // Partitions are handled side by side: who comes second waits for the same writer.
    shard = { path, key, writer: parquet.ParquetWriter.openFile(schema, path) };
    shards.set(folder, shard);
  }
  return shard.writer;
}

async function flush() {
  const full = shards;
  shards = new Map();
  rows = 0;
  for (const { path, key, writer } of full.values()) {
    await (await writer).close();
    await s3.send(new PutObjectCommand({ Bucket: BENCH_BUCKET, Key: key, Body: readFileSync(path) }));
    rmSync(path);
  }
}

mkdirSync('./scratch', { recursive: true });
await admin.connect();
for (const { partition, high } of await admin.fetchTopicOffsets(BENCH_TOPIC))
  ends.set(partition, Number(high));
const [{ partitions }] = await admin.fetchOffsets({ groupId: BENCH_GROUP, topics: [BENCH_TOPIC] });
for (const { partition, offset } of partitions) at.set(partition, Math.max(0, Number(offset)));
await admin.disconnect();
const isDone = () => [...ends].every(([partition, end]) => at.get(partition) >= end);

const done = Promise.withResolvers();
if (isDone()) done.resolve();
await consumer.connect();
await consumer.subscribe({ topic: BENCH_TOPIC, fromBeginning: true });
await consumer.run({
  eachMessage: async ({ partition, message }) => {
    const value = JSON.parse(message.value);
    const writer = await writerOf(value.customer, value.created_at.slice(0, 13));
    await writer.appendRow({
      ...value,
      created_at: new Date(value.created_at),
      partition,
      offset: Number(message.offset),
    });
    at.set(partition, Number(message.offset) + 1);
    if (++rows >= Number(BENCH_FLUSH_ROWS)) await flush();
    if (isDone()) done.resolve();
  },
});
await done.promise;
await flush();
await consumer.disconnect();

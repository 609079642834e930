/**
 * `npm run demo:kafka`: the sample stream through real servers. Starts Kafka and S3 (scripts/services), writes the sample to
 * a topic, runs the pipeline to its end and verifies the archive. The servers stay up for a look around.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { Kafka } from 'kafkajs';
import { stringify } from 'yaml';
import { kafkaClientOptions, kafkaConfig } from '../src/kafka.ts';
import { ensureServices } from './services/index.ts';
import { createTopic } from './services/topic.ts';

const ROOT = resolve(import.meta.dirname, '..');
const BATCH = 1000;

const name = `demo-${Date.now().toString(36)}`;
console.log('Starting Kafka and S3 (the first time they are installed, which takes some minutes) ...');
const { environment } = await ensureServices(['kafka', 's3']);
Object.assign(process.env, environment);
const broker = environment['SLUICE_KAFKA']!;
const endpoint = environment['SLUICE_S3']!;

await new S3Client({ endpoint, forcePathStyle: true }).send(new CreateBucketCommand({ Bucket: name }));
const produced = await produce(join(ROOT, 'sample/content.jsonl.gz'));
console.log(`Wrote ${produced} messages to topic ${name} (8 partitions) at ${broker}`);

const config = join(mkdtempSync(join(tmpdir(), 'sluice-')), `${name}.yaml`);
writeFileSync(
  config,
  stringify({
    name,
    kafka: { brokers: [broker] },
    source: { type: 'kafka', topics: [name] },
    archive: { store: { type: 's3', bucket: name, endpoint, path_style: true } },
    log: { level: 'error' },
  }),
);
for (const args of [
  ['check', config],
  ['run', config, '--until-end'],
  ['verify', config],
]) {
  console.log(`\n$ npx sluice ${args.join(' ')}`);
  const { status } = spawnSync(process.execPath, [join(ROOT, 'bin/sluice.js'), ...args], {
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(status ?? 1);
}
console.log(`
The archive is s3://${name}/ at ${endpoint}, as files in ${environment['SLUICE_S3_DIRECTORY']}/${name}:
  npx sluice query "select customer, action, count(*) from content group by all" --archive ${environment['SLUICE_S3_DIRECTORY']}/${name}
To repeat these commands, or to try others, give your shell the credentials and the region of that S3 server first:
  eval "$(npm run -s services -- env)"
The servers are still up: \`npm run services -- status\`; \`npm run services -- down\` ends them and removes their data.`);

async function produce(file: string): Promise<number> {
  const kafka = new Kafka(kafkaClientOptions(kafkaConfig.parse({ brokers: [broker] })));
  const admin = kafka.admin();
  await admin.connect();
  await createTopic(admin, name, 8);
  await admin.disconnect();
  const producer = kafka.producer();
  await producer.connect();
  let messages: { value: Buffer }[] = [];
  let count = 0;
  const send = async () => {
    count += messages.length;
    await producer.send({ topic: name, messages });
    messages = [];
  };
  for (const value of linesOf(gunzipSync(readFileSync(file)))) {
    messages.push({ value });
    if (messages.length === BATCH) await send();
  }
  if (messages.length > 0) await send();
  await producer.disconnect();
  return count;
}

/** Lines as bytes, not as text: some of the sample's are not UTF-8, and have to stay as they are. */
function* linesOf(bytes: Buffer): Generator<Buffer> {
  for (let from = 0; from < bytes.length;) {
    const newline = bytes.indexOf(0x0a, from);
    const to = newline < 0 ? bytes.length : newline;
    yield bytes.subarray(from, to);
    from = to + 1;
  }
}

/**
 * `npm run demo:moderation`: how a moderation team hears of a bad post. Starts Kafka and Redis (scripts/services), `sluice run` and
 * `sluice api`, and a receiver of webhooks; posts some content by HTTP, shows the answers and the webhooks, flags what was
 * missed, and joins both in the archive. The servers stay up for a look around.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { Kafka } from 'kafkajs';
import { Webhook } from 'standardwebhooks';
import { stringify } from 'yaml';
import { kafkaClientOptions, kafkaConfig } from '../src/kafka.ts';
import { ensureServices } from './services/index.ts';
import { createTopic } from './services/topic.ts';

const CLI = resolve(import.meta.dirname, '../bin/sluice.js');
const KEY = 'a-key-of-acme-for-the-demo';
const SECRET = `whsec_${Buffer.alloc(32, 'demo').toString('base64')}`;
const POSTS = [
  'The new park is lovely in spring, thank you!',
  'You are a worthless idiot and everybody hates you.',
  'WINNER!! Claim your free prize now, call 09061701461, code KL341, valid 12 hours only',
  'Meeting moved to 3 pm, same room.',
];

const name = `demo-${Date.now().toString(36)}`;
const directory = mkdtempSync(join(tmpdir(), 'sluice-'));
console.log('Starting Kafka and Redis (the first time they are installed, which takes some minutes) ...');
const { environment } = await ensureServices(['kafka', 'redis']);
const broker = environment['SLUICE_KAFKA']!;
const topics = { content: `${name}-content`, feedback: `${name}-feedback`, decisions: `${name}-decisions` };
await createTopics(Object.values(topics));

const told = new Map<string, number>();
const receiver = createServer((request, response) => {
  const parts: Buffer[] = [];
  request.on('data', (part: Buffer) => parts.push(part));
  request.on('end', () => {
    const event = new Webhook(SECRET).verify(
      Buffer.concat(parts).toString(),
      request.headers as Record<string, string>,
    );
    const { data } = event as { data: { content_id: string; action: string; reasons: { label: string }[] } };
    told.set(data.content_id, performance.now());
    const labels = data.reasons.map(({ label }) => label).join(', ');
    console.log(`   ◀ webhook, signature verified: ${data.action} ${data.content_id} (${labels})`);
    response.writeHead(204).end();
  });
}).listen(0, '127.0.0.1');
await once(receiver, 'listening');

const config = join(directory, 'moderation.yaml');
writeFileSync(
  config,
  stringify({
    name,
    kafka: { brokers: [broker] },
    source: { type: 'kafka', topics: [topics.content], max_wait: '50ms' },
    feedback: { topic: topics.feedback },
    archive: { store: { type: 'directory', path: './out' } },
    sinks: {
      decisions: { type: 'kafka', topic: topics.decisions, actions: ['allow', 'review', 'block'] },
      scores: { type: 'redis', url: environment['SLUICE_REDIS'], prefix: name },
      hooks: {
        type: 'webhooks',
        redis: environment['SLUICE_REDIS'],
        prefix: name,
        allow_http: true, // For this machine only: elsewhere https, and no private addresses.
        allow_private: ['127.0.0.0/8'],
        endpoints: {
          acme: {
            url: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`,
            secrets: [SECRET],
            customers: ['acme'],
          },
        },
      },
    },
    api: { listen: '127.0.0.1:0', keys: { acme: [KEY] } },
  }),
);

const [pipeline, api] = await Promise.all([
  started('run', 'assignment-recovered'),
  started('api', 'api-started'),
]);
const address = api.fields['address'];
console.log(
  `\nConfiguration: ${config}\n$ npx sluice run CONFIG    $ npx sluice api CONFIG    # at ${address}\n`,
);

for (const [index, text] of POSTS.entries()) {
  const id = `post-${index + 1}`;
  const posted = performance.now();
  console.log(`POST /track/content?wait=5s  ${id} "${text}"`);
  const answer = await track('content?wait=5s', { id, type: 'post', user_id: 'u1', content: { text } });
  console.log(`   ◀ after ${Math.round(performance.now() - posted)} ms: ${answer}`);
  if (answer.includes('"allow"')) continue;
  while (!told.has(id) && performance.now() - posted < 10_000) await delay(5);
  const at = told.get(id);
  if (at === undefined) throw new Error(`expected a webhook for ${id} within 10 s, got none`);
  console.log(`   the webhook came ${Math.round(at - posted)} ms after the post`);
}
console.log('\nPOST /track/flag  a user finds post-4 rude');
const flag = { id: 'flag-1', flagger_id: 'u2', reasons: ['rude'], targets: [{ content_id: 'post-4' }] };
console.log(`   ◀ ${await track('flag', flag)}`);

await delay(500);
for (const { child } of [api, pipeline]) {
  child.kill('SIGTERM');
  await once(child, 'exit');
}
receiver.close();
const sql = `select content_id, c.action, c.reasons, f.kind as feedback, f.actor_id as flagged_by, f.reasons as why
from content c left join feedback f using (customer, content_id) order by content_id`;
console.log(`\n$ npx sluice query --archive ${directory}/out "${sql}"`);
spawnSync(process.execPath, [CLI, 'query', '--archive', join(directory, 'out'), sql], { stdio: 'inherit' });
console.log(`
docs/webhooks.md: endpoints, retries, \`sluice webhooks\`.  docs/api.md: every request.  docs/scores.md: databases.
The servers are still up: \`npm run services -- status\`; \`npm run services -- down\` ends them and removes their data.`);

async function createTopics(names: readonly string[]): Promise<void> {
  const admin = new Kafka(kafkaClientOptions(kafkaConfig.parse({ brokers: [broker] }))).admin();
  await admin.connect();
  for (const topic of names) await createTopic(admin, topic, 2);
  await admin.disconnect();
}

/** Starts a command; resolves with the fields of the log line that tells that it works. */
async function started(
  command: string,
  action: string,
): Promise<{ child: ChildProcess; fields: Record<string, string> }> {
  const child = spawn(process.execPath, [CLI, command, config], { stdio: ['ignore', 'ignore', 'pipe'] });
  process.on('exit', () => child.kill());
  for await (const line of createInterface({ input: child.stderr })) {
    if (!line.startsWith('{')) throw new Error(line);
    const event = JSON.parse(line) as Record<string, unknown>;
    if (event['event.action'] !== action) continue;
    child.stderr.resume();
    return { child, fields: (event['sluice'] ?? {}) as Record<string, string> };
  }
  throw new Error(`sluice ${command} ended before it began`);
}

async function track(path: string, body: object): Promise<string> {
  const response = await fetch(`${address}/track/${path}`, {
    method: 'POST',
    headers: { authorization: KEY, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${response.status}: ${text}`);
  return text;
}

import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { apiConfig } from '../../src/api/config.ts';
import {
  createBatchingProducer,
  createDecisionWaits,
  serveApi,
  type OutRecord,
  type Served,
} from '../../src/api/index.ts';
import type { Decision } from '../../src/decision.ts';
import { ingestConfig } from '../../src/ingest/config.ts';
import { createExaminers, openKafkaTail } from '../../src/ingest/index.ts';
import { sampleDecision } from '../sample-decision.ts';
import { createKafkaFixture, kafkaOf, type KafkaFixture } from '../ingest/kafka-fixture.ts';

/** Keys of the fixture's customers. */
export const KEYS = { acme: 'acme-key-0123456789', beta: 'beta-key-0123456789' };

/** An answer, with its body as parsed. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

/** The API in this process, over topics of its own on the broker that the tests share. */
export interface ApiFixture {
  readonly address: string;
  readonly content: KafkaFixture;
  readonly feedback: KafkaFixture;
  readonly decisions: KafkaFixture;
  /** What was answered so far. */
  readonly served: readonly Served[];
  readonly bugs: readonly Error[];
  /** Why brokers cannot be written or read now; undefined when they can. */
  failure(): Error | undefined;
  inFlight(): number;
  waiting(): number;
  /** POST with acme's key, JSON unless `init` says otherwise. */
  post(path: string, body: unknown, init?: RequestInit): Promise<Answer>;
  /** A connection on which anything can be written. */
  socket(): Socket;
  /** Tells a decision, as the sink of type kafka does. */
  decide(decision: Partial<Decision> & { readonly id: string }): Promise<void>;
  drain(): Promise<void>;
  remove(): Promise<void>;
}

/** Opens the API. `config`: keys of the `api` section; `ingest`: those of that one. */
export async function openApi(config: object = {}, ingest: object = {}): Promise<ApiFixture> {
  const [content, feedback, decisions] = await Promise.all([
    createKafkaFixture({ partitions: 3 }),
    createKafkaFixture({ partitions: 2 }),
    createKafkaFixture({ partitions: 2 }),
  ]);
  const settings = apiConfig.parse({
    listen: '127.0.0.1:0',
    keys: { acme: [KEYS.acme], beta: [KEYS.beta] },
    ...config,
  });
  const kafka = kafkaOf();
  const served: Served[] = [];
  const bugs: Error[] = [];
  let inFlight = 0;
  let waiting = 0;
  const waits = createDecisionWaits();
  const fail = (error: unknown) => void bugs.push(error as Error);
  const tail = openKafkaTail({
    kafka,
    topic: decisions.topic,
    onBatch: (batch) => waits.arrived(batch),
    onRetrying: (_operation, error) => fail(error),
    onFailed: fail,
  });
  await tail.start();
  const producer = createBatchingProducer({
    kafka,
    timeout: settings.produce_timeout,
    onFailure: () => undefined,
  });
  const examiners = createExaminers(ingestConfig.parse(ingest));
  const bytesOf = ({ key, value, headers }: OutRecord) => ({
    key: Buffer.from(key),
    value: Buffer.from(value),
    headers: Object.entries(headers).map(([name, part]) => ({ name, value: Buffer.from(part) })),
  });
  const listener = await serveApi({
    config: settings,
    contentTopic: content.topic,
    shape: 'sluice',
    feedbackTopic: feedback.topic,
    producer,
    waits,
    examine: {
      content: (record) => examiners.content(bytesOf(record)),
      feedback: (record) => examiners.feedback(bytesOf(record)),
    },
    onServed: (each) => served.push(each),
    onBug: fail,
    onInFlight: (requests) => (inFlight = requests),
    onWaiting: (requests) => (waiting = requests),
  });
  return {
    address: listener.address,
    content,
    feedback,
    decisions,
    served,
    bugs,
    failure: () => producer.failure() ?? tail.failure(),
    inFlight: () => inFlight,
    waiting: () => waiting,
    async post(path, body, init = {}) {
      const response = await fetch(`${listener.address}${path}`, {
        method: 'POST',
        body: typeof body === 'string' ? body : JSON.stringify(body),
        ...init,
        headers: {
          authorization: KEYS.acme,
          'content-type': 'application/json',
          ...(init.headers as Record<string, string> | undefined),
        },
      });
      return {
        status: response.status,
        headers: response.headers,
        body: (await response.json()) as Record<string, unknown>,
      };
    },
    socket() {
      const { hostname, port } = new URL(listener.address);
      const socket = connect(Number(port), hostname);
      // What is written after the server has closed it.
      socket.on('error', () => undefined);
      return socket;
    },
    async decide(decision) {
      const told = sampleDecision(0, decision);
      await decisions.produce(0, [
        { key: told.customer, value: JSON.stringify(told), headers: { id: told.id, type: 'decision' } },
      ]);
    },
    drain: () => listener.drain(),
    async remove() {
      await listener.close();
      tail.close();
      await producer.close();
      await Promise.all([content.remove(), feedback.remove(), decisions.remove()]);
    },
  };
}

/** Everything that comes on a connection until its end. */
export function received(socket: Socket): Promise<string> {
  return text(socket);
}

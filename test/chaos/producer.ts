import { appendFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import kafkajs, { type Message, type Producer } from 'kafkajs';
import { RUN_LENGTH, type ChaosMessage } from './messages.ts';

/** What the producer knows of a message once the broker has it: a line of the record that the judge reads. */
export interface WrittenMessage {
  readonly id: string;
  readonly partition: number;
  readonly offset: number;
  readonly fate: ChaosMessage['fate'];
  readonly customer: string;
  readonly text: string;
  /** Base64 of the message; null for a tombstone. */
  readonly bytes: string | null;
}

/** What is written, and how fast. */
export interface ProducerOptions {
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly messageOf: (index: number) => ChaosMessage;
  /** So many messages in so many seconds; then slowly more, until `finish`. */
  readonly messages: number;
  readonly seconds: number;
  /** File of {@link WrittenMessage} lines. */
  readonly record: string;
}

/** Writes the messages of a run. */
export interface ChaosProducer {
  /** Messages that the broker has. */
  written(): number;
  /** Transaction markers by partition: offsets that hold no message. */
  readonly markers: ReadonlyMap<number, number>;
  /**
   * Resolves when nothing is under way, and writes nothing until `release`. A broker that goes away under a request would
   * leave it open whether the messages are there.
   */
  hold(): Promise<void>;
  release(): void;
  /** Writes what is missing of `messages` at once, and ends. */
  finish(): Promise<void>;
}

const TICK = 100;
/** Share of the speed at which messages go on when all are written. */
const TRICKLE = 0.25;

/** What is due after a wait may be more than a broker takes at once: a megabyte. */
function requestsOf(list: readonly ChaosMessage[]): ChaosMessage[][] {
  const requests: ChaosMessage[][] = [];
  let bytes = Infinity;
  for (const message of list) {
    const size = 200 + (message.value?.length ?? 0);
    if (bytes + size > 512 * 1024) {
      requests.push([]);
      bytes = 0;
    }
    bytes += size;
    requests.at(-1)!.push(message);
  }
  return requests;
}

/** Starts writing. The first error ends it, and is what `hold` and `finish` reject with: then the run proves nothing. */
export function startProducer(options: ProducerOptions): ChaosProducer {
  const { topic, messageOf, messages, seconds, record } = options;
  const kafka = new kafkajs.Kafka({
    brokers: [...options.brokers],
    clientId: 'chaos-producer',
    logLevel: kafkajs.logLevel.NOTHING,
    retry: { retries: 20, initialRetryTime: 200, maxRetryTime: 2000 },
  });
  const markers = new Map<number, number>();
  let written = 0;
  let finishing = false;
  let held: { readonly released: Promise<void>; release(): void } | undefined;
  let idle = Promise.withResolvers<void>();
  let connections: { plain: Producer; transactional: Producer } | undefined;
  let epoch = 0;

  async function connect() {
    const plain = kafka.producer({ idempotent: true, maxInFlightRequests: 1, allowAutoTopicCreation: false });
    const transactional = kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      transactionalId: `${topic}-${++epoch}`,
    });
    await Promise.all([plain.connect(), transactional.connect()]);
    return { plain, transactional };
  }

  async function disconnect(): Promise<void> {
    const open = connections;
    connections = undefined;
    await Promise.all([open?.plain.disconnect(), open?.transactional.disconnect()]);
  }

  async function write(runs: readonly ChaosMessage[][]): Promise<void> {
    connections ??= await connect();
    const { plain, transactional } = connections;
    const byPartition = Map.groupBy(
      runs.filter(([first]) => !first!.transactional).flat(),
      ({ partition }) => partition,
    );
    for (const list of byPartition.values())
      for (const request of requestsOf(list)) await send(plain, request);
    for (const run of runs.filter(([first]) => first!.transactional)) {
      const transaction = await transactional.transaction();
      await send(transaction, run);
      if (run[0]!.fate === 'aborted') await transaction.abort();
      else await transaction.commit();
      markers.set(run[0]!.partition, (markers.get(run[0]!.partition) ?? 0) + 1);
    }
  }

  async function send(to: Pick<Producer, 'send'>, list: readonly ChaosMessage[]): Promise<void> {
    const { partition, index } = list[0]!;
    const [answer] = await to.send({
      topic,
      acks: -1,
      compression: index % 3 === 0 ? kafkajs.CompressionTypes.GZIP : kafkajs.CompressionTypes.None,
      messages: list.map(({ key, value, headers }): Message => ({
        key,
        value,
        headers: { ...headers },
        partition,
      })),
    });
    const base = Number(answer?.baseOffset ?? Number.NaN);
    if (!Number.isSafeInteger(base) || base < 0) {
      throw new Error(`expected the offset of ${list[0]!.id} from the broker, got ${JSON.stringify(answer)}`);
    }
    const lines = list.map(({ id, fate, customer, text, value }, position): string => {
      const line: WrittenMessage = {
        id,
        partition,
        offset: base + position,
        fate,
        customer,
        text,
        bytes: value && value.toString('base64'),
      };
      return JSON.stringify(line) + '\n';
    });
    appendFileSync(record, lines.join(''));
    written += list.length;
  }

  async function writeAll(): Promise<void> {
    const speed = messages / seconds;
    let index = 0;
    let due = 0;
    let last = performance.now();
    for (;;) {
      if (held) {
        await disconnect();
        idle.resolve();
        await held.released;
        last = performance.now();
      }
      if (finishing && index >= messages) break;
      const now = performance.now();
      due += finishing ? speed : ((now - last) / 1000) * speed * (index < messages ? 1 : TRICKLE);
      last = now;
      const runs: ChaosMessage[][] = [];
      for (; due >= RUN_LENGTH; due -= RUN_LENGTH, index += RUN_LENGTH) {
        runs.push(Array.from({ length: RUN_LENGTH }, (_, position) => messageOf(index + position)));
      }
      await write(runs);
      if (!finishing) await delay(TICK);
    }
    await disconnect();
  }

  const running = writeAll();
  // Seen by whoever waits next; until then it must not end the process.
  running.catch(() => undefined);
  return {
    written: () => written,
    markers,
    async hold() {
      held = holder();
      idle = Promise.withResolvers();
      await Promise.race([idle.promise, running]);
    },
    release() {
      held?.release();
      held = undefined;
    },
    async finish() {
      finishing = true;
      await running;
    },
  };
}

function holder(): { readonly released: Promise<void>; release(): void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { released: promise, release: resolve };
}

import { createRequire } from 'node:module';
import type { KafkaConfig as ClientOptions } from 'kafkajs';
import { kafkaClientOptions, type KafkaConfig, type KafkaLog } from '../kafka.ts';

/**
 * The part of kafkajs that Sluice uses below its public interface: connections with TLS and SASL, requests and their encodings.
 * Its consumer stays unused: it resets offsets by commits that erase the transaction, commits under whatever generation is
 * current, and cannot hold a rebalance for a flush. The version is pinned in package.json, as these are its internals.
 */
interface Internals {
  readonly Broker: new (options: object) => Broker;
  readonly buildConnections: (options: object) => {
    build(address: { readonly host: string; readonly port: number }): Promise<Broker['connectionPool']>;
  };
  readonly createLogger: (options: Pick<ClientOptions, 'logCreator'> & { readonly level: number }) => object;
  readonly createSocketFactory: () => unknown;
  readonly requests: Readonly<Record<string, unknown>>;
  readonly apiKeys: Readonly<Record<string, number>>;
  readonly createErrorFromCode: (code: number) => KafkaCodeError;
}

const require = createRequire(import.meta.url);
const Broker = require('kafkajs/src/broker') as Internals['Broker'];
const buildConnections =
  require('kafkajs/src/cluster/connectionPoolBuilder') as Internals['buildConnections'];
const { createLogger } = require('kafkajs/src/loggers') as Pick<Internals, 'createLogger'>;
const createSocketFactory = require('kafkajs/src/network/socketFactory') as Internals['createSocketFactory'];
const { requests } = require('kafkajs/src/protocol/requests') as Pick<Internals, 'requests'>;
const apiKeys = require('kafkajs/src/protocol/requests/apiKeys') as Internals['apiKeys'];
const { createErrorFromCode } = require('kafkajs/src/protocol/error') as Pick<
  Internals,
  'createErrorFromCode'
>;

/** An error of the Kafka protocol; `type` is its name, such as `ILLEGAL_GENERATION`. */
export type KafkaCodeError = Error & { readonly type: string };

/** A broker with its two connections: one for Fetch, which waits long, one for everything else. */
export interface Broker {
  connect(): Promise<void>;
  readonly connectionPool: {
    readonly host: string;
    readonly port: number;
    send(request: ProtocolRequest): Promise<unknown>;
    readonly pool: readonly { readonly socket?: { destroy(error: Error): void } }[];
  };
  lookupRequest(apiKey: number, definition: unknown): (payload: object) => ProtocolRequest;
}

/** A request and how its response is read. */
interface ProtocolRequest {
  readonly request: { readonly apiVersion: number };
  readonly response: {
    readonly decode: (bytes: Buffer) => Promise<unknown>;
    readonly parse: (decoded: unknown) => Promise<unknown>;
  };
  readonly logResponseError?: boolean;
}

/** Where a broker is. */
export interface BrokerAddress {
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
}

/** A Metadata response; error codes are 0 where all is well. */
export interface Metadata {
  readonly brokers: readonly BrokerAddress[];
  readonly topicMetadata: readonly {
    readonly topicErrorCode: number;
    readonly topic: string;
    readonly isInternal: boolean;
    readonly partitionMetadata: readonly { readonly partitionId: number; readonly leader: number }[];
  }[];
}

/** How {@link send} deviates from what kafkajs does with a response. */
export interface SendOptions {
  /** Reads the response, which came in that version, instead of kafkajs. */
  readonly decode?: (bytes: Buffer, version: number) => unknown;
  /** Resolves with the response even where it has error codes, which kafkajs would throw. */
  readonly keepErrors?: boolean;
}

/** Connections to the brokers of one cluster. Every method is one attempt and throws what kafkajs throws. */
export interface Cluster {
  /** Some broker, connected. */
  any(): Promise<Broker>;
  /** The broker with that id, connected. Throws when no metadata named it. */
  broker(nodeId: number): Promise<Broker>;
  /** The broker with that address, connected. */
  brokerAt(address: BrokerAddress): Promise<Broker>;
  /** Reads metadata of topics (all of them with an empty list) and with them the addresses of the brokers. Makes no topic. */
  metadata(topics: readonly string[]): Promise<Metadata>;
  /** Ends all connections at once; requests without an answer fail. */
  destroy(): void;
}

/** Makes connections of their own; none is opened before it is needed. */
export function createCluster(config: KafkaConfig, onLog?: KafkaLog): Cluster {
  const options = kafkaClientOptions(config, onLog ? { onLog } : {});
  const logger = createLogger({ level: options.logLevel!, logCreator: options.logCreator! });
  const connections = buildConnections({
    ...options,
    logger,
    socketFactory: createSocketFactory(),
    enforceRequestTimeout: true,
    maxInFlightRequests: null,
  });
  const known = new Map<number, Broker>();
  let seed: Broker | undefined;
  let turn = 0;
  let destroyed = false;

  async function open(host: string, port: number): Promise<Broker> {
    return new Broker({ connectionPool: await connections.build({ host, port }), logger });
  }

  async function connected(broker: Broker): Promise<Broker> {
    if (destroyed) throw new Error('connections are closed');
    await broker.connect();
    return broker;
  }

  async function bootstrap(): Promise<Broker> {
    if (seed) destroyConnections(seed);
    const [host, port] = config.brokers[turn++ % config.brokers.length]!.split(':');
    seed = await open(host!, Number(port));
    return connected(seed);
  }

  async function any(): Promise<Broker> {
    for (const broker of known.values()) {
      const usable = await connected(broker).catch(() => undefined);
      if (usable) return usable;
    }
    let failure: unknown;
    for (let tried = 0; tried < config.brokers.length; tried++) {
      try {
        return await bootstrap();
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  }

  async function learn({ nodeId, host, port }: BrokerAddress): Promise<Broker> {
    const before = known.get(nodeId);
    if (before?.connectionPool.host === host && before.connectionPool.port === port) return before;
    if (before) destroyConnections(before);
    const broker = await open(host, port);
    known.set(nodeId, broker);
    return broker;
  }

  return {
    any,

    brokerAt: async (address) => connected(await learn(address)),

    async broker(nodeId) {
      const broker = known.get(nodeId);
      if (!broker) throw new Error(`expected the address of broker ${nodeId} in the metadata, got none`);
      return connected(broker);
    },

    async metadata(topics) {
      const payload = { topics, allowAutoTopicCreation: false };
      const metadata = await send<Metadata>(await any(), 'Metadata', payload, { keepErrors: true });
      for (const address of metadata.brokers) await learn(address);
      return metadata;
    },

    destroy() {
      destroyed = true;
      for (const broker of [...known.values(), ...(seed ? [seed] : [])]) destroyConnections(broker);
    },
  };
}

/** Sends a request of the Kafka protocol in the newest version that both sides know. Throws what kafkajs throws. */
export async function send<Response>(
  broker: Broker,
  name: string,
  payload: object,
  { decode, keepErrors = false }: SendOptions = {},
): Promise<Response> {
  const found = broker.lookupRequest(apiKeys[name]!, requests[name])(payload);
  const { decode: usual, parse } = found.response;
  try {
    return (await broker.connectionPool.send({
      ...found,
      response: {
        decode: async (bytes) => (decode ? decode(bytes, found.request.apiVersion) : usual(bytes)),
        parse: keepErrors ? (decoded) => Promise.resolve(decoded) : (decoded) => parse(decoded),
      },
      logResponseError: false,
    })) as Response;
  } catch (error) {
    // Behind an answer that is overdue nothing else is answered either.
    if (!(error instanceof Error && 'type' in error)) destroyConnections(broker);
    throw error;
  }
}

/** The isolation level of all reads (KIP-98): nothing of open or aborted transactions. */
export const READ_COMMITTED = 1;

/** The error of a code in a response. */
export function errorOfCode(code: number): KafkaCodeError {
  return createErrorFromCode(code);
}

function destroyConnections({ connectionPool }: Broker): void {
  // Without an error kafkajs would not notice.
  for (const { socket } of connectionPool.pool) socket?.destroy(new Error('connection given up'));
}

import { createRequire } from 'node:module';
import { Kafka, type Message, type Producer, type ProducerConfig } from 'kafkajs';
import { vi } from 'vitest';

const require = createRequire(import.meta.url);
/** The parts of kafkajs that send, as they are: only what they talk to is ours here. */
const createProducer = require('kafkajs/src/producer/index.js') as (options: object) => Producer;
const { createErrorFromCode } = require('kafkajs/src/protocol/error.js') as {
  createErrorFromCode: (code: number) => Error;
};

/** NOT_LEADER_OR_FOLLOWER of Kafka's protocol. */
const NOT_LEADER = 6;

interface ProduceRequest {
  readonly topicData: readonly {
    readonly topic: string;
    readonly partitions: readonly { readonly partition: number; readonly messages: readonly Message[] }[];
  }[];
}

/**
 * Two brokers: partition 0 is led by broker 1, and partition 1 by broker 2. It answers nothing until `move`, then that it
 * is the leader no more, which is broker 1 from then on.
 */
export interface TwoBrokers {
  /** Keys of what was written, by partition. */
  readonly written: readonly [string[], string[]];
  /** Requests to broker 2 that wait. */
  readonly pending: () => number;
  move(): void;
  /** Producers that were made. */
  readonly producers: () => number;
}

/** Puts the cluster where producers of kafkajs look for brokers, until vi.restoreAllMocks(). */
export function createTwoBrokers(): TwoBrokers {
  const written: [string[], string[]] = [[], []];
  const leaders = [1, 2];
  const moved = Promise.withResolvers<void>();
  let pending = 0;
  let producers = 0;

  const broker = (nodeId: number) => ({
    nodeId,
    initProducerId: () => Promise.resolve({ producerId: producers, producerEpoch: 0 }),
    async produce({ topicData }: ProduceRequest) {
      if (nodeId === 2) {
        pending++;
        await moved.promise;
        pending--;
        throw createErrorFromCode(NOT_LEADER);
      }
      return {
        topics: topicData.map(({ topic, partitions }) => ({
          topicName: topic,
          partitions: partitions.map(({ partition, messages }) => {
            const log = written[partition as 0 | 1];
            const baseOffset = String(log.length);
            log.push(...messages.map(({ key }) => String(key)));
            return { partition, errorCode: 0, baseOffset };
          }),
        })),
      };
    },
  });
  const brokers = new Map([1, 2].map((nodeId) => [nodeId, broker(nodeId)]));
  const nothing = () => Promise.resolve();
  const cluster = {
    retry: {},
    targetTopics: new Set(),
    connect: nothing,
    disconnect: nothing,
    isConnected: () => true,
    addMultipleTargetTopics: nothing,
    refreshMetadataIfNecessary: nothing,
    refreshMetadata: nothing,
    findControllerBroker: () => Promise.resolve(brokers.get(1)),
    findTopicPartitionMetadata: () =>
      leaders.map((leader, partitionId) => ({ partitionId, leader, partitionErrorCode: 0 })),
    findLeaderForPartitions: (_topic: string, partitions: readonly string[]) =>
      Object.groupBy(partitions.map(Number), (partition) => leaders[partition]!),
    findBroker: ({ nodeId }: { readonly nodeId: string }) => Promise.resolve(brokers.get(Number(nodeId))),
  };
  const logger = { debug() {}, info() {}, warn() {}, error() {}, namespace: () => logger };
  vi.spyOn(Kafka.prototype, 'producer').mockImplementation((config?: ProducerConfig) => {
    producers++;
    return createProducer({ ...config, cluster, logger, retry: { retries: 5, initialRetryTime: 5 } });
  });
  return {
    written,
    pending: () => pending,
    producers: () => producers,
    move() {
      leaders[1] = 1;
      moved.resolve();
    },
  };
}

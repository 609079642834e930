import type { KafkaConfig } from '../kafka.ts';
import type { Partition, Position } from '../types.ts';
import type { StartOptions } from './kafka-assignment.ts';
import type { KafkaClient } from './kafka-client.ts';
import type { KafkaClientOptions } from './kafkajs-client.ts';

/** Unread messages that the brokers deleted: offsets [from, to) of a partition. */
export interface ExpiredRange extends Partition {
  readonly from: number;
  readonly to: number;
}

/** What `createKafkaSource` needs beside its configuration. */
export interface KafkaSourceOptions {
  readonly kafka: KafkaConfig;
  /** Consumer group. */
  readonly group: string;
  /** The topic of feedback, read beside those of the source. */
  readonly feedbackTopic?: string | undefined;
  /** Makes the client (default: kafkajs). */
  readonly createClient?: (options: KafkaClientOptions) => KafkaClient;
  /** Proves that the client's library is there; throws MisconfiguredError. */
  readonly loadClient?: () => Promise<unknown>;
  /** Positions that finished transactions settled, for partitions whose committed positions have expired. */
  readonly ledger?: StartOptions['ledger'];
  /** Ends before these offsets instead of the present ends, with `untilEnd`; other partitions are not read. */
  readonly until?: readonly Position[];
  /** Retention deleted messages before they were read. */
  readonly onExpired?: (range: ExpiredRange) => void;
  /** Something failed that is tried again until it works. */
  readonly onRetrying?: (operation: string, error: Error) => void;
  /** How often the ends of partitions are looked up for `lag`, milliseconds (default 10,000). */
  readonly lagMillis?: number;
}

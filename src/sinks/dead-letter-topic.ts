import type { Message } from 'kafkajs';
import type { KafkaConfig } from '../kafka.ts';
import { createTopicWriter, type TopicWriter } from '../topic-writer.ts';
import type { DeadLetter } from '../types.ts';

/** A topic of dead letters. */
export interface DeadLetterTopic extends Pick<TopicWriter, 'topic' | 'check' | 'close'> {
  /** Resolves when all replicas have all of them. Calling it again after a failure writes them again. */
  send(letters: readonly DeadLetter[]): Promise<void>;
}

/**
 * Dead letters as they came: the original value, key and headers. Headers `sluice-id` (`topic-partition-offset`, the same on
 * every repeat), `sluice-topic`, `-partition`, `-offset`, `-timestamp`, `-received-at`, `-stage`, `-code` and `-detail` say
 * where from and why.
 */
export function createDeadLetterTopic(options: {
  readonly topic: string;
  readonly kafka: KafkaConfig;
}): DeadLetterTopic {
  const writer = createTopicWriter({ ...options, at: 'dead_letters.topic' });
  return {
    topic: writer.topic,
    check: () => writer.check(),
    send: (letters) => writer.write(letters.map(recordOf)),
    close: () => writer.close(),
  };
}

function recordOf(letter: DeadLetter): Message {
  const { topic, partition, offset, stage, code, detail, timestamp, receivedAt, bytes, key, headers } =
    letter;
  const original = Object.entries(headers ?? {}).map(([name, value]) => [name, Buffer.from(value)]);
  return {
    key: key && Buffer.from(key),
    value: Buffer.from(bytes),
    headers: {
      ...Object.fromEntries(original),
      'sluice-id': `${topic}-${partition}-${offset}`,
      'sluice-topic': topic,
      'sluice-partition': String(partition),
      'sluice-offset': String(offset),
      ...(timestamp === null ? {} : { 'sluice-timestamp': String(timestamp) }),
      'sluice-received-at': String(receivedAt),
      'sluice-stage': stage,
      'sluice-code': code,
      'sluice-detail': detail,
    },
  };
}

import type { Message } from 'kafkajs';
import type { Decision } from '../decision.ts';
import { RecordTooLargeError } from '../kafka-producer.ts';
import type { KafkaConfig } from '../kafka.ts';
import { createTopicWriter } from '../topic-writer.ts';
import type { Refusal, Sink } from './sink.ts';

/**
 * Decisions as JSON (docs/decision.schema.json), keyed by customer; headers `id` and `type` tell a reader what to drop or skip
 * without parsing. Written by an idempotent producer, acknowledged by all replicas; a retried batch repeats whole, with the same ids.
 */
export function createKafkaSink(options: {
  readonly topic: string;
  readonly kafka: KafkaConfig;
  readonly at: string;
}): Sink {
  const writer = createTopicWriter(options);
  return {
    description: `topic ${options.topic}`,
    check: () => writer.check(),
    async deliver(decisions, signal) {
      const records = decisions.map(recordOf);
      try {
        await writer.write(records, signal);
        return [];
      } catch (error) {
        if (!(error instanceof RecordTooLargeError)) throw error;
        return await writeEach(records, signal);
      }
    },
    close: () => writer.close(),
  };

  /** One by one, so that only those that are too large are refused. */
  async function writeEach(records: readonly Message[], signal: AbortSignal): Promise<Refusal[]> {
    const refusals: Refusal[] = [];
    for (const [index, record] of records.entries()) {
      try {
        await writer.write([record], signal);
      } catch (error) {
        if (!(error instanceof RecordTooLargeError)) throw error;
        refusals.push({ index, code: 'too_large', detail: error.message });
      }
    }
    return refusals;
  }
}

function recordOf(decision: Decision): Message {
  return {
    key: decision.customer,
    value: JSON.stringify(decision),
    headers: { id: decision.id, type: 'decision', 'content-type': 'application/json' },
  };
}

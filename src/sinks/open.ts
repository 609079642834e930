/* oxlint-disable typescript/consistent-return -- the switch has a case for each type */
import type { KafkaConfig } from '../kafka.ts';
import type { SinkConfig } from './config.ts';
import type { Sink } from './sink.ts';

/**
 * Opens a configured sink; nothing is connected before its `check` or its first batch. `at` is its key in the configuration,
 * such as `sinks.decisions`, for errors; `kafka` says how brokers are reached, or throws. Each sink's library is loaded only
 * where it is configured: together they take longer to load than all the rest.
 */
export async function openSink(
  sink: SinkConfig,
  { at, kafka }: { readonly at: string; readonly kafka: () => KafkaConfig },
): Promise<Sink> {
  switch (sink.type) {
    case 'kafka': {
      const { createKafkaSink } = await import('./kafka-sink.ts');
      return createKafkaSink({ topic: sink.topic, kafka: kafka(), at: `${at}.topic` });
    }
    case 'webhooks': {
      const { createWebhooksSink } = await import('./webhooks/webhooks-sink.ts');
      return createWebhooksSink({ config: sink, name: at.slice(at.lastIndexOf('.') + 1), at });
    }
    case 'redis': {
      const { createRedisSink } = await import('./redis-sink.ts');
      return createRedisSink({ config: sink, at });
    }
    case 'postgres': {
      const { createPostgresSink } = await import('./postgres-sink.ts');
      return createPostgresSink({ config: sink, at });
    }
    case 'dynamodb': {
      const { createDynamodbSink } = await import('./dynamodb-sink.ts');
      return createDynamodbSink({ config: sink, at });
    }
    case 'elasticsearch': {
      const { createElasticsearchSink } = await import('./elasticsearch-sink.ts');
      return createElasticsearchSink({ config: sink, at });
    }
  }
}

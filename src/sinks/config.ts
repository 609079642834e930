import { z } from 'zod';
import { dynamodbSinkConfig } from './dynamodb-sink-config.ts';
import { elasticsearchSinkConfig } from './elasticsearch-sink-config.ts';
import type { Filter } from './filter.ts';
import { kafkaSinkConfig } from './kafka-sink-config.ts';
import { postgresSinkConfig } from './postgres-sink-config.ts';
import { redisSinkConfig } from './redis-sink-config.ts';
import { webhooksSinkConfig } from './webhooks/config.ts';

/** One sink of the configuration, told apart by its type. */
export const sinkConfig = z.discriminatedUnion('type', [
  kafkaSinkConfig,
  webhooksSinkConfig,
  redisSinkConfig,
  postgresSinkConfig,
  dynamodbSinkConfig,
  elasticsearchSinkConfig,
]);

/** A sink's configuration after checks. */
export type SinkConfig = z.infer<typeof sinkConfig>;

/** The `sinks` piece of the configuration: names, as metrics and log lines show them, to sinks. */
export const sinksConfig = z.record(
  z.string().regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, 'expected a name of lower-case letters, digits and dashes'),
  sinkConfig,
);

/** See {@link sinksConfig}. */
export type SinksConfig = z.infer<typeof sinksConfig>;

/** The filters of a sink: a decision is for it when one of them wants it. */
export function filtersOf(sink: SinkConfig): readonly Filter[] {
  return sink.type === 'webhooks' ? Object.values(sink.endpoints) : [sink];
}

/** Whether a sink is told the text that was moderated. */
export function wantsText(sink: SinkConfig): boolean {
  return 'text' in sink && sink.text;
}

import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

/**
 * All metrics of a process; only events.ts counts. Names are `sluice_<what>_<unit>[_total]`; labels are bounded by
 * partitions, stages and codes, never by customers. `docs/operations.md` says what to do about them.
 */
export function createMetrics() {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const counter = <Label extends string>(name: string, help: string, labelNames: readonly Label[] = []) =>
    new Counter<Label>({ name: `sluice_${name}`, help, labelNames, registers });
  const gauge = <Label extends string>(name: string, help: string, labelNames: readonly Label[] = []) =>
    new Gauge<Label>({ name: `sluice_${name}`, help, labelNames, registers });
  const histogram = <Label extends string>(
    name: string,
    help: string,
    buckets: number[],
    labelNames: readonly Label[] = [],
  ) => new Histogram<Label>({ name: `sluice_${name}`, help, buckets, labelNames, registers });
  const partition = ['topic', 'partition'] as const;

  return {
    registry,
    messages: counter('messages_total', 'Messages classified, dead letters and skipped ones included'),
    decisions: counter('decisions_total', 'Rows by the action that was decided', ['action']),
    languageDecisions: counter(
      'language_decisions_total',
      'Rows by language (primary subtag, `und`: not known, `other`: one of many or none) and action',
      ['language', 'action'],
    ),
    unsupportedRows: counter(
      'unsupported_language_rows_total',
      'Rows in a language that no model judges, by language',
      ['language'],
    ),
    workerSeconds: counter('worker_seconds_total', 'Time of worker threads by part', ['part']),
    deadLetters: counter('dead_letters_total', 'Messages that can never become rows', ['stage', 'code']),
    delivered: counter('delivered_decisions_total', 'Decisions that a sink was told', ['sink']),
    refused: counter('refused_decisions_total', 'Decisions that a sink can never take', ['sink', 'code']),
    deliveryRetries: counter('delivery_retries_total', 'Times that a sink was asked again', ['sink']),
    deliverySeconds: histogram(
      'delivery_seconds',
      'Telling a sink one batch, attempts included',
      [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30],
      ['sink'],
    ),
    deliveryLag: histogram(
      'delivery_lag_seconds',
      "From the message's time stamp to its delivery, of the oldest decision of each batch",
      [0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600],
      ['sink'],
    ),
    rows: counter('archived_rows_total', 'Rows of published files'),
    files: counter('archived_files_total', 'Published files'),
    bytes: counter('archived_bytes_total', 'Bytes of published files'),
    flushes: counter('flushes_total', 'Flushes that were committed and published', ['reason']),
    flushSeconds: histogram(
      'flush_seconds',
      'From the closing of the buffers to the last published file',
      [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300],
    ),
    lastFlush: gauge('last_flush_timestamp_seconds', 'When the last flush was published'),
    bufferedBytes: gauge('buffered_bytes', 'Rows in memory, those being written included'),
    budgetBytes: gauge('memory_budget_bytes', 'What buffered rows may take: archive.memory'),
    inFlightBytes: gauge('in_flight_bytes', 'Messages on their way through the workers'),
    positionLag: gauge(
      'position_lag_messages',
      'End of the partition minus the next offset to read: scale on this',
      partition,
    ),
    commitLag: gauge(
      'commit_lag_messages',
      'End of the partition minus the committed offset: what is not in the archive yet',
      partition,
    ),
    assignedPartitions: gauge('assigned_partitions', 'Partitions that this process reads'),
    assignments: counter('assignments_total', 'Assignments received'),
    fenced: counter('fenced_flushes_total', 'Flushes refused because others own the partitions now'),
    classifyModels: gauge('classify_models', 'The loaded models by name and id, each 1', [
      'model',
      'id',
      'role',
    ]),
    classifyTexts: counter('classify_texts_total', 'Rows that a model was given', ['model']),
    classifySeconds: counter('classify_seconds_total', 'Time that a model took, by part', ['model', 'part']),
    classifyTokens: counter('classify_tokens_total', 'Tokens given to a model, padding included', ['model']),
    classifyPadding: counter('classify_padding_tokens_total', 'Tokens of these that were padding', ['model']),
    classifyAnswered: counter(
      'classify_answered_texts_total',
      'Texts that were answered without running the model itself, by how: `duplicate`, `first_stage`',
      ['model', 'by'],
    ),
    classifyPoison: counter('classify_poison_total', 'Rows that made a model fail by themselves', ['model']),
    classifyShadowFailures: counter(
      'classify_shadow_failures_total',
      'Batches that a shadow model could not score',
      ['model'],
    ),
    classifyDisagreements: counter(
      'classify_shadow_disagreements_total',
      'Rows that a shadow model would have decided otherwise, by both actions',
      ['model', 'decided', 'shadow'],
    ),
    reloads: counter(
      'classify_reloads_total',
      'Changes of models, policies or hash lists: `reloaded`, `refused`; `delayed`: could not be looked for',
      ['outcome'],
    ),
    modelUnavailable: counter(
      'model_unavailable_total',
      'Times that a batch had to wait for the server of a model, and was classified again',
    ),
    storeRetries: counter('store_retries_total', 'Times that a store was asked again', ['operation']),
    recovered: counter('recovered_transactions_total', 'Transactions of dead processes that were published'),
    swept: counter('swept_files_total', 'Unfinished files of dead processes that were removed'),
    rewound: counter(
      'rewound_transactions_total',
      'Transactions undone and read again since a file vanished',
    ),
    lost: counter(
      'lost_transactions_total',
      'Transactions with lost files whose messages have expired: page',
    ),
    expired: counter('expired_messages_total', 'Offsets that the topic deleted before they were read: page'),
    workerDeaths: counter('worker_deaths_total', 'Worker threads that died under a task', ['task']),
    sourceFailures: counter('source_failures_total', 'Times that the source lost its connection'),
    webhookAttempts: counter('webhook_attempts_total', 'Requests to webhook endpoints by outcome', [
      'endpoint',
      'outcome',
    ]),
    webhookDelivered: counter('webhook_delivered_decisions_total', 'Decisions that an endpoint took', [
      'endpoint',
    ]),
    webhookExhausted: counter(
      'webhook_exhausted_decisions_total',
      'Decisions whose last attempt failed; they are kept, and can be sent again',
      ['endpoint'],
    ),
    webhookSeconds: histogram(
      'webhook_attempt_seconds',
      'One request to a webhook endpoint, until its status',
      [0.025, 0.1, 0.5, 1, 5, 15],
      ['endpoint'],
    ),
    webhookLag: histogram(
      'webhook_lag_seconds',
      "From the message's time stamp to its delivery, of the oldest decision of each request",
      [0.05, 0.1, 0.25, 0.5, 1, 5, 60, 3600],
      ['endpoint'],
    ),
    webhookQueue: gauge('webhook_queue_decisions', 'Decisions in the queue of an endpoint', [
      'endpoint',
      'state',
    ]),
    webhookOldest: gauge(
      'webhook_oldest_waiting_seconds',
      'Age of the oldest decision that could be sent and is not',
      ['endpoint'],
    ),
    webhookDisabled: gauge('webhook_disabled', '1: the endpoint is told nothing until it is enabled', [
      'endpoint',
    ]),
    webhookBreakerOpen: gauge('webhook_breaker_open', '1: the endpoint fails, and is tried now and then', [
      'endpoint',
    ]),
    webhookLocksLost: counter(
      'webhook_locks_lost_total',
      'Decisions that may have been sent twice, since this process was silent for too long',
      ['endpoint'],
    ),
    apiRequests: counter('api_requests_total', 'Requests to the HTTP API that were answered', [
      'route',
      'status',
    ]),
    apiSeconds: histogram(
      'api_request_seconds',
      'From the header of a request to its answer, waits included',
      [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
      ['route'],
    ),
    apiWaits: counter(
      'api_waits_total',
      'Requests that asked to wait for a decision: `decided`; answered without it: `late`, or `full`, as too many waited',
      ['outcome'],
    ),
    apiInFlight: gauge('api_in_flight_requests', 'Requests to the HTTP API that are read or written now'),
    apiWaiting: gauge('api_waiting_requests', 'Requests to the HTTP API that wait for a decision now'),
    apiRetries: counter('api_retries_total', 'Times that brokers did not answer the HTTP API', ['operation']),
  };
}

/** See {@link createMetrics}. */
export type Metrics = ReturnType<typeof createMetrics>;
